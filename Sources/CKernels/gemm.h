#pragma once
#include "vector.h"

// The product all others are made of. A tile of mr × nv vectors of c stays in registers while k
// runs; b is read by whole vectors, a by single values. Each element of c is one chain of
// multiply-adds in the order of k, so neither the tile nor the rows beside it change a bit.

enum { K_BLOCK = 256 };

typedef struct {
    const float *a;
    size_t a_row, a_column;
    const float *b;
    size_t b_row, b_panel;
    float *c;
    size_t c_row;
    size_t k;
    size_t columns;  // of this tile that exist
    int accumulate;
} tile_arguments;

/// Stores a tile whose columns all exist.
BODY void tile_store(const int mr, const int nv, const tile_arguments *t, const v16 *sum) {
    if (t->accumulate) {
#pragma unroll
        for (int i = 0; i < mr; i++) {
            float *c = t->c + (size_t)i * t->c_row;
#pragma unroll
            for (int j = 0; j < nv; j++) STORE(c + j * 16, LOAD(c + j * 16) + sum[i * nv + j]);
        }
    } else {
#pragma unroll
        for (int i = 0; i < mr; i++) {
            float *c = t->c + (size_t)i * t->c_row;
#pragma unroll
            for (int j = 0; j < nv; j++) STORE(c + j * 16, sum[i * nv + j]);
        }
    }
}

/// Stores the columns that exist of a tile at the right edge.
static inline void tile_store_part(const int mr, const int nv, const tile_arguments *t,
                                   const float *sum) {
    for (int i = 0; i < mr; i++) {
        float *c = t->c + (size_t)i * t->c_row;
        const float *x = sum + i * nv * 16;
        for (size_t j = 0; j < t->columns; j++) c[j] = t->accumulate ? c[j] + x[j] : x[j];
    }
}

BODY void tile(const int mr, const int nv, const tile_arguments *t) {
    v16 sum[24];
#pragma unroll
    for (int i = 0; i < mr * nv; i++) sum[i] = SPLAT(0.0f);
    const float *a = t->a, *b = t->b;
    const size_t a_row = t->a_row, a_column = t->a_column, b_row = t->b_row;
    const size_t b_panel = t->b_panel;
    for (size_t l = t->k; l > 0; l--) {
        v16 y[8];
#pragma unroll
        for (int j = 0; j < nv; j++) y[j] = LOAD(b + (j / 2) * b_panel + (j % 2) * 16);
#pragma unroll
        for (int i = 0; i < mr; i++) {
            float x = a[(size_t)i * a_row];
#pragma unroll
            for (int j = 0; j < nv; j++) sum[i * nv + j] += x * y[j];
        }
        a += a_column;
        b += b_row;
    }
    if (t->columns == (size_t)nv * 16) {
        tile_store(mr, nv, t, sum);
    } else {
        float edge[24 * 16];
#pragma unroll
        for (int i = 0; i < mr * nv; i++) STORE(edge + i * 16, sum[i]);
        tile_store_part(mr, nv, t, edge);
    }
}

// Shapes: rows of a tile by vectors of a tile, bounded by the registers of each set.
#define SHAPE(set, target, mr, nv) \
    target static void tile_##set##_##mr##_##nv(const tile_arguments *t) { tile(mr, nv, t); }
#define CASE(set, mr, nv) \
    case mr: tile_##set##_##mr##_##nv(t); return;

#define FOUR(set, target, nv) \
    SHAPE(set, target, 1, nv) SHAPE(set, target, 2, nv) SHAPE(set, target, 3, nv) \
    SHAPE(set, target, 4, nv)
#define SIX(set, target, nv) FOUR(set, target, nv) \
    SHAPE(set, target, 5, nv) SHAPE(set, target, 6, nv)
#define TWELVE(set, target, nv) SIX(set, target, nv) \
    SHAPE(set, target, 7, nv) SHAPE(set, target, 8, nv) SHAPE(set, target, 9, nv) \
    SHAPE(set, target, 10, nv) SHAPE(set, target, 11, nv) SHAPE(set, target, 12, nv)
#define FOUR_CASES(set, nv) CASE(set, 1, nv) CASE(set, 2, nv) CASE(set, 3, nv) CASE(set, 4, nv)
#define SIX_CASES(set, nv) FOUR_CASES(set, nv) CASE(set, 5, nv) CASE(set, 6, nv)
#define TWELVE_CASES(set, nv) SIX_CASES(set, nv) CASE(set, 7, nv) CASE(set, 8, nv) \
    CASE(set, 9, nv) CASE(set, 10, nv) CASE(set, 11, nv) CASE(set, 12, nv)

FOUR(portable, , 1)
static void tile_portable(size_t mr, const tile_arguments *t) {
    switch (mr) { FOUR_CASES(portable, 1) }
}
#if defined(__x86_64__)
SIX(avx2, TARGET_AVX2, 1)
static void tile_avx2(size_t mr, const tile_arguments *t) {
    switch (mr) { SIX_CASES(avx2, 1) }
}
TWELVE(avx512, TARGET_AVX512, 1)
TWELVE(avx512, TARGET_AVX512, 2)
SHAPE(avx512, TARGET_AVX512, 1, 8)
SHAPE(avx512, TARGET_AVX512, 2, 8)
static void tile_avx512(size_t mr, int nv, const tile_arguments *t) {
    if (nv == 8) {
        switch (mr) { CASE(avx512, 1, 8) CASE(avx512, 2, 8) }
    } else if (nv == 2) {
        switch (mr) { TWELVE_CASES(avx512, 2) }
    } else {
        switch (mr) { TWELVE_CASES(avx512, 1) }
    }
}
#endif

/// All of c for one block of k, whose first column of b sits at `b`.
static inline void gemm_block(hone_isa isa, size_t m, size_t n, tile_arguments t) {
    const float *a = t.a, *b = t.b;
    float *c = t.c;
    // Few rows: more columns at once, so that enough sums run side by side.
    const size_t wide = isa == HONE_AVX512 ? (m <= 2 && n >= 128 ? 128 : 32) : 16;
    const size_t tall = isa == HONE_AVX512 ? 12 : isa == HONE_AVX2 ? 6 : 4;
    for (size_t j = 0; j < n;) {
        size_t width = n - j >= wide ? wide : isa == HONE_AVX512 ? 32 : 16;
        int vectors = (int)(width / 16);
        t.columns = n - j;
        if (width == 32 && t.columns <= 16) {
            width = 16;
            vectors = 1;
        }
        if (t.columns > width) t.columns = width;
        t.b = b + j / HONE_PANEL * t.b_panel + j % HONE_PANEL;
        for (size_t i = 0; i < m; i += tall) {
            size_t rows = smaller(tall, m - i);
            t.a = a + i * t.a_row;
            t.c = c + i * t.c_row + j;
#if defined(__x86_64__)
            if (isa == HONE_AVX512) {
                tile_avx512(rows, vectors, &t);
                continue;
            }
            if (isa == HONE_AVX2) {
                tile_avx2(rows, &t);
                continue;
            }
#endif
            tile_portable(rows, &t);
        }
        j += width;
    }
}

static inline void gemm(hone_isa isa, size_t m, size_t n, size_t k, const float *a, size_t a_row,
                        size_t a_column, const float *b, size_t b_row, size_t b_panel, float *c,
                        size_t c_row, int accumulate) {
    if (k == 0 && !accumulate) {
        for (size_t i = 0; i < m; i++) memset(c + i * c_row, 0, n * sizeof *c);
    }
    for (size_t l = 0; l < k; l += K_BLOCK) {
        tile_arguments t = {a + l * a_column, a_row, a_column, b + l * b_row, b_row,
                            b_panel, c, c_row, smaller(K_BLOCK, k - l), 0,
                            accumulate || l > 0};
        gemm_block(isa, m, n, t);
    }
}

#include "gemm.h"

void hone_gemm_reference(size_t m, size_t n, size_t k, const float *a, size_t a_row,
                         size_t a_column, const float *b, size_t b_row, size_t b_panel, float *c,
                         size_t c_row, int accumulate) {
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            const float *column = b + j / HONE_PANEL * b_panel + j % HONE_PANEL;
            double sum = accumulate ? c[i * c_row + j] : 0;
            for (size_t l = 0; l < k; l++) {
                sum += (double)a[i * a_row + l * a_column] * column[l * b_row];
            }
            c[i * c_row + j] = (float)sum;
        }
    }
}

void hone_gemm(hone_isa isa, size_t m, size_t n, size_t k, const float *a, size_t a_row,
               size_t a_column, const float *b, size_t b_row, size_t b_panel, float *c,
               size_t c_row, int accumulate) {
    gemm(isa, m, n, k, a, a_row, a_column, b, b_row, b_panel, c, c_row, accumulate);
}

typedef float v4 __attribute__((vector_size(16), aligned(4), may_alias));

/// Turns 4 × 4 values; from rows from_row apart, to panel rows.
static inline void turn(const float *from, size_t from_row, float *to) {
    v4 a = *(const v4 *)from, b = *(const v4 *)(from + from_row);
    v4 c = *(const v4 *)(from + 2 * from_row), d = *(const v4 *)(from + 3 * from_row);
    v4 ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    v4 ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    v4 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    v4 cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(v4 *)to = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    *(v4 *)(to + HONE_PANEL) = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    *(v4 *)(to + 2 * HONE_PANEL) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    *(v4 *)(to + 3 * HONE_PANEL) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

// By squares of 4: 0.11 ns a value at (704, 128), the plain loop 0.28.
static void pack_panel(size_t columns, size_t k, const float *w, size_t w_row, float *to) {
    size_t j = 0;
    for (; j + 4 <= columns; j += 4) {
        const float *from = w + j * w_row;
        size_t l = 0;
        for (; l + 4 <= k; l += 4) turn(from + l, w_row, to + l * HONE_PANEL + j);
        for (; l < k; l++) {
            for (size_t i = 0; i < 4; i++) to[l * HONE_PANEL + j + i] = from[i * w_row + l];
        }
    }
    for (; j < columns; j++) {
        for (size_t l = 0; l < k; l++) to[l * HONE_PANEL + j] = w[j * w_row + l];
    }
    for (; j < HONE_PANEL; j++) {
        for (size_t l = 0; l < k; l++) to[l * HONE_PANEL + j] = 0;
    }
}

void hone_pack_transposed(size_t n, size_t k, const float *w, size_t w_row, float *packed,
                          size_t first, size_t last) {
    for (size_t panel = first; panel < last; panel++) {
        size_t columns = smaller(HONE_PANEL, n - panel * HONE_PANEL);
        pack_panel(columns, k, w + panel * HONE_PANEL * w_row, w_row,
                   packed + panel * k * HONE_PANEL);
    }
}

#include "gemm.h"

// Scores of a tile of queries lie in scratch, (tile, keys rounded up to whole panels). A masked
// score becomes an exact zero, so the keys beyond a query's own never change its sums.

enum { FORWARD_TILE = 12, BACKWARD_TILE = 24 };

static size_t whole_panels(size_t n) { return (n + HONE_PANEL - 1) / HONE_PANEL * HONE_PANEL; }

size_t hone_attention_scratch(size_t length, size_t d) {
    size_t keys = whole_panels(length);
    // Two packed matrices, two gradients, two tiles of scores.
    return 4 * keys * whole_panels(d) + 2 * BACKWARD_TILE * keys + BACKWARD_TILE
           + 4 * HONE_PANEL;
}

size_t hone_attention_cached_scratch(size_t keys) {
    return FORWARD_TILE * whole_panels(keys) + HONE_PANEL;
}

/// The first `seen` scores of a row become probabilities, the rest of `keys` zero.
BODY void softmax_row_body(size_t seen, size_t keys, float scale, float *s, float *lse) {
    v16 most = SPLAT(-INFINITY), total = SPLAT(0.0f), x;
    for (size_t j = seen; j < keys; j++) s[j] = -INFINITY;
    for (size_t j = 0; j < seen; j += 16) {
        x = LOAD(s + j);
        most = SELECT(x > most, x, most);
    }
    float maximum = largest_lane(&most);
    size_t j = 0;
    for (; j < seen; j += 16) {
        x = (LOAD(s + j) - maximum) * scale;
        exponential(&x);
        total += x;
        STORE(s + j, x);
    }
    for (; j < keys; j += 16) STORE(s + j, SPLAT(0.0f));
    float sum = sum_lanes(&total), factor = 1.0f / sum;
    for (j = 0; j < seen; j += 16) STORE(s + j, LOAD(s + j) * factor);
    if (lse) *lse = maximum * scale + logf(sum);
}

#define softmax_row_parameters \
    (hone_isa isa, size_t seen, size_t keys, float scale, float *s, float *lse)
KERNEL(static, void, softmax_row, softmax_row_parameters, seen, keys, scale, s, lse)

/// One tile of queries, the i-th of which sees `seen` + i * more keys.
static void attend(hone_isa isa, size_t rows, size_t seen, size_t more, size_t d, float scale,
                   const float *q, size_t q_row, const float *keys, const float *values,
                   size_t v_row, float *out, size_t out_row, float *lse, size_t lse_row,
                   float *scores) {
    size_t most = seen + (rows - 1) * more, width = whole_panels(most);
    gemm(isa, rows, most, d, q, q_row, 1, keys, HONE_PANEL, d * HONE_PANEL, scores, width, 0);
    for (size_t i = 0; i < rows; i++) {
        hone_softmax_row(isa, seen + i * more, width, scale, scores + i * width,
                         lse ? lse + i * lse_row : 0);
    }
    gemm(isa, rows, d, most, scores, width, 1, values, v_row, HONE_PANEL, out, out_row, 0);
}

void hone_attention_forward(hone_isa isa, size_t length, size_t group, size_t d, float scale,
                            const float *q, const float *k, const float *v, size_t row, float *out,
                            size_t out_row, float *lse, size_t lse_row, float *scratch) {
    float *keys = scratch, *scores = scratch + whole_panels(length) * d;
    hone_pack_transposed(length, d, k, row, keys, 0, whole_panels(length) / HONE_PANEL);
    for (size_t h = 0; h < group; h++) {
        for (size_t i = 0; i < length; i += FORWARD_TILE) {
            attend(isa, smaller(FORWARD_TILE, length - i), i + 1, 1, d, scale,
                   q + i * row + h * d, row, keys, v, row, out + i * out_row + h * d, out_row,
                   lse + i * lse_row + h, lse_row, scores);
        }
    }
}

void hone_attention_cached(hone_isa isa, size_t rows, size_t past, size_t group, size_t d,
                           float scale, const float *q, size_t q_row, const float *keys,
                           const float *values, float *out, size_t out_row, float *scratch) {
    if (rows == 1 && group <= FORWARD_TILE) {
        attend(isa, group, past + 1, 0, d, scale, q, d, keys, values, d, out, d, 0, 0, scratch);
        return;
    }
    for (size_t h = 0; h < group; h++) {
        for (size_t i = 0; i < rows; i += FORWARD_TILE) {
            attend(isa, smaller(FORWARD_TILE, rows - i), past + i + 1, 1, d, scale,
                   q + i * q_row + h * d, q_row, keys, values, d, out + i * out_row + h * d,
                   out_row, 0, 0, scratch);
        }
    }
}

void hone_cache_append(size_t rows, size_t past, size_t d, const float *k, const float *v,
                       size_t row, float *keys, float *values) {
    for (size_t i = 0; i < rows; i++) {
        size_t position = past + i;
        float *panel = keys + position / HONE_PANEL * d * HONE_PANEL + position % HONE_PANEL;
        for (size_t j = 0; j < d; j++) panel[j * HONE_PANEL] = k[i * row + j];
        memcpy(values + position * d, v + i * row, d * sizeof *v);
    }
}

/// Scores become probabilities p; d_scores, the gradient of p, becomes that of q · k.
BODY void score_slopes_body(size_t seen, size_t keys, float scale, float lse, float dot, float *s,
                            float *ds) {
    for (size_t j = seen; j < keys; j++) s[j] = -INFINITY, ds[j] = 0;
    for (size_t j = 0; j < keys; j += 16) {
        v16 p = LOAD(s + j) * scale - lse;
        exponential(&p);
        STORE(s + j, p);
        STORE(ds + j, p * (LOAD(ds + j) - dot) * scale);
    }
}

#define score_slopes_parameters \
    (hone_isa isa, size_t seen, size_t keys, float scale, float lse, float dot, float *s, \
     float *ds)
KERNEL(static, void, score_slopes, score_slopes_parameters,
              seen, keys, scale, lse, dot, s, ds)

BODY float dot_body(size_t n, const float *x, const float *y) {
    v16 total = SPLAT(0.0f), a, b;
    for (size_t j = 0; j < n; j += 16) {
        if (n - j >= 16) {
            total += LOAD(x + j) * LOAD(y + j);
        } else {
            load_part(x + j, n - j, 0, &a);
            load_part(y + j, n - j, 0, &b);
            total += a * b;
        }
    }
    return sum_lanes(&total);
}

KERNEL(static, float, dot, (hone_isa isa, size_t n, const float *x, const float *y), n, x, y)

typedef struct {
    float *keys, *values, *dk, *dv, *scores, *slopes;
} backward_scratch;

static backward_scratch divide(float *scratch, size_t length, size_t d) {
    size_t n = whole_panels(length);
    backward_scratch s;
    s.keys = scratch;
    s.values = s.keys + n * d;
    s.dk = s.values + n * d;
    s.dv = s.dk + length * d;
    s.scores = s.dv + length * d;
    s.slopes = s.scores + BACKWARD_TILE * n;
    return s;
}

void hone_attention_backward(hone_isa isa, size_t length, size_t group, size_t d, float scale,
                             const float *q, const float *k, const float *v, size_t row,
                             const float *out, const float *d_out, size_t out_row,
                             const float *lse, size_t lse_row, float *dq, float *dk, float *dv,
                             float *scratch) {
    backward_scratch s = divide(scratch, length, d);
    size_t panels = whole_panels(length) / HONE_PANEL;
    hone_pack_transposed(length, d, k, row, s.keys, 0, panels);
    hone_pack_transposed(length, d, v, row, s.values, 0, panels);
    memset(s.dk, 0, 2 * length * d * sizeof *s.dk);
    for (size_t h = 0; h < group; h++) {
        for (size_t i = 0; i < length; i += BACKWARD_TILE) {
            size_t rows = smaller(BACKWARD_TILE, length - i), most = i + rows;
            size_t width = whole_panels(most);
            const float *qi = q + i * row + h * d, *doi = d_out + i * out_row + h * d;
            gemm(isa, rows, most, d, qi, row, 1, s.keys, HONE_PANEL, d * HONE_PANEL, s.scores,
                 width, 0);
            gemm(isa, rows, most, d, doi, out_row, 1, s.values, HONE_PANEL, d * HONE_PANEL,
                 s.slopes, width, 0);
            for (size_t r = 0; r < rows; r++) {
                float dot = hone_dot(isa, d, doi + r * out_row, out + (i + r) * out_row + h * d);
                hone_score_slopes(isa, i + r + 1, width, scale, lse[(i + r) * lse_row + h], dot,
                                  s.scores + r * width, s.slopes + r * width);
            }
            gemm(isa, rows, d, most, s.slopes, width, 1, k, row, HONE_PANEL,
                 dq + i * row + h * d, row, 0);
            gemm(isa, most, d, rows, s.slopes, 1, width, qi, row, HONE_PANEL, s.dk, d, 1);
            gemm(isa, most, d, rows, s.scores, 1, width, doi, out_row, HONE_PANEL, s.dv, d, 1);
        }
    }
    for (size_t i = 0; i < length; i++) {
        memcpy(dk + i * row, s.dk + i * d, d * sizeof *dk);
        memcpy(dv + i * row, s.dv + i * d, d * sizeof *dv);
    }
}

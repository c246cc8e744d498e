#include "vector.h"

BODY void rms_norm_row(size_t n, const float *x, const float *weight, float epsilon, float *y,
                       float *inverse) {
    v16 squares = SPLAT(0.0f), last;
    size_t whole = n / 16 * 16;
    for (size_t j = 0; j < whole; j += 16) squares += LOAD(x + j) * LOAD(x + j);
    if (whole < n) {
        load_part(x + whole, n - whole, 0, &last);
        squares += last * last;
    }
    float r = 1.0f / sqrtf(sum_lanes(&squares) / (float)n + epsilon);
    for (size_t j = 0; j < n; j++) y[j] = x[j] * r * weight[j];
    if (inverse) *inverse = r;
}

BODY void rms_norm_body(size_t rows, size_t n, const float *x, const float *weight,
                        float epsilon, float *y, float *inverse) {
    for (size_t i = 0; i < rows; i++) {
        rms_norm_row(n, x + i * n, weight, epsilon, y + i * n, inverse ? inverse + i : 0);
    }
}

KERNEL(, void, rms_norm,
       (hone_isa isa, size_t rows, size_t n, const float *x, const float *weight, float epsilon,
        float *y, float *inverse),
       rows, n, x, weight, epsilon, y, inverse)

BODY void rms_norm_again_body(size_t rows, size_t n, const float *x, const float *weight,
                              const float *inverse, float *y) {
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < n; j++) y[i * n + j] = x[i * n + j] * inverse[i] * weight[j];
    }
}

KERNEL(, void, rms_norm_again,
       (hone_isa isa, size_t rows, size_t n, const float *x, const float *weight,
        const float *inverse, float *y),
       rows, n, x, weight, inverse, y)

// With r the inverse root and h = x r: dx = r (dy w - h mean(dy w h)), dw = Σ dy h.
BODY void rms_norm_backward_row(size_t n, const float *x, const float *weight, float r,
                                const float *dy, float *dx, float *d_weight) {
    v16 products = SPLAT(0.0f), a, b, c;
    size_t whole = n / 16 * 16;
    for (size_t j = 0; j < whole; j += 16) {
        products += LOAD(dy + j) * LOAD(weight + j) * LOAD(x + j);
    }
    if (whole < n) {
        load_part(dy + whole, n - whole, 0, &a);
        load_part(weight + whole, n - whole, 0, &b);
        load_part(x + whole, n - whole, 0, &c);
        products += a * b * c;
    }
    float mean = sum_lanes(&products) * r * r / (float)n;
    for (size_t j = 0; j < n; j++) {
        d_weight[j] += dy[j] * x[j] * r;
        dx[j] += r * (dy[j] * weight[j] - x[j] * mean);
    }
}

BODY void rms_norm_backward_body(size_t rows, size_t n, const float *x, const float *weight,
                                 const float *inverse, const float *dy, float *dx,
                                 float *d_weight) {
    for (size_t i = 0; i < rows; i++) {
        rms_norm_backward_row(n, x + i * n, weight, inverse[i], dy + i * n, dx + i * n, d_weight);
    }
}

KERNEL(, void, rms_norm_backward,
       (hone_isa isa, size_t rows, size_t n, const float *x, const float *weight,
        const float *inverse, const float *dy, float *dx, float *d_weight),
       rows, n, x, weight, inverse, dy, dx, d_weight)

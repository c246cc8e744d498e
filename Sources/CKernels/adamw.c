#include "vector.h"

// Loshchilov and Hutter 2019, algorithm 2, in the order of operations of torch.optim.AdamW.
BODY void adamw_body(size_t n, float *restrict value, const float *restrict gradient,
                     float *restrict first, float *restrict second, float gradient_scale,
                     float beta1, float beta2, float epsilon, float step_size, float root,
                     float keep) {
    for (size_t i = 0; i < n; i++) {
        float g = gradient[i] * gradient_scale;
        float m = first[i] + (g - first[i]) * (1.0f - beta1);
        float v = second[i] * beta2 + g * g * (1.0f - beta2);
        first[i] = m;
        second[i] = v;
        value[i] = value[i] * keep - step_size * (m / (sqrtf(v) / root + epsilon));
    }
}

KERNEL(, void, adamw,
       (hone_isa isa, size_t n, float *value, const float *gradient, float *first, float *second,
        float gradient_scale, float beta1, float beta2, float epsilon, float step_size,
        float root, float keep),
       n, value, gradient, first, second, gradient_scale, beta1, beta2, epsilon, step_size,
        root, keep)

BODY double sum_of_squares_body(size_t n, const float *x) {
    double lanes[16] = {0};
    size_t whole = n / 16 * 16;
    for (size_t i = 0; i < whole; i += 16) {
        for (size_t j = 0; j < 16; j++) lanes[j] += (double)x[i + j] * x[i + j];
    }
    for (size_t i = whole; i < n; i++) lanes[i - whole] += (double)x[i] * x[i];
    double total = 0;
    for (size_t j = 0; j < 16; j++) total += lanes[j];
    return total;
}

KERNEL(, double, sum_of_squares, (hone_isa isa, size_t n, const float *x), n, x)

BODY void add_body(size_t n, const float *restrict x, float factor, float *restrict y) {
    for (size_t i = 0; i < n; i++) y[i] += x[i] * factor;
}

KERNEL(, void, add, (hone_isa isa, size_t n, const float *x, float factor, float *y),
       n, x, factor, y)

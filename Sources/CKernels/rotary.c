#include "vector.h"

BODY void rotary_head(size_t half, float *restrict x, const float *restrict cosine,
                      const float *restrict sine, float direction) {
    for (size_t j = 0; j < half; j++) {
        float a = x[j], b = x[half + j], s = sine[j] * direction;
        x[j] = a * cosine[j] - b * s;
        x[half + j] = b * cosine[j] + a * s;
    }
}

BODY void rotary_body(size_t rows, size_t heads, size_t d, float *x, size_t row,
                      const int32_t *positions, const float *cosine, const float *sine,
                      float direction) {
    size_t half = d / 2;
    for (size_t i = 0; i < rows; i++) {
        const float *c = cosine + (size_t)positions[i] * half;
        const float *s = sine + (size_t)positions[i] * half;
        for (size_t h = 0; h < heads; h++) {
            rotary_head(half, x + i * row + h * d, c, s, direction);
        }
    }
}

KERNEL(, void, rotary,
       (hone_isa isa, size_t rows, size_t heads, size_t d, float *x, size_t row,
        const int32_t *positions, const float *cosine, const float *sine, float direction),
       rows, heads, d, x, row, positions, cosine, sine, direction)

#include "vector.h"

void hone_to_bf16(size_t n, const float *x, uint16_t *y) {
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
        // Rounding up could carry a not-a-number into infinity: keep it quiet instead.
        uint32_t quiet = (bits >> 16) | 0x40;
        y[i] = (uint16_t)((bits & 0x7FFFFFFF) > 0x7F800000 ? quiet : rounded);
    }
}

void hone_from_bf16(size_t n, const uint16_t *x, float *y) {
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)x[i] << 16;
        memcpy(y + i, &bits, sizeof bits);
    }
}

void hone_from_fp16(size_t n, const uint16_t *x, float *y) {
    for (size_t i = 0; i < n; i++) {
        uint32_t sign = (uint32_t)(x[i] & 0x8000) << 16;
        uint32_t rest = x[i] & 0x7FFF, bits;
        if (rest >= 0x7C00) {  // infinity, not a number
            bits = sign | 0x7F800000 | (rest & 0x3FF) << 13;
            memcpy(y + i, &bits, sizeof bits);
        } else if (rest >= 0x400) {  // normal: the bias grows from 15 to 127
            bits = sign | ((rest << 13) + (112u << 23));
            memcpy(y + i, &bits, sizeof bits);
        } else {  // subnormal: a multiple of 2^-24
            y[i] = (sign ? -1.0f : 1.0f) * (float)rest * 0x1p-24f;
        }
    }
}

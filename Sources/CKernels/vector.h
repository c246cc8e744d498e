#pragma once
#include "CKernels.h"
#include <float.h>
#include <math.h>
#include <string.h>

// Sixteen floats: one AVX-512 register, two of AVX2, four of SSE. The bodies of the kernels are
// written once with it and compiled for each instruction set; lanes, and so sums, are the same.

typedef float v16 __attribute__((vector_size(64)));
typedef int32_t i16 __attribute__((vector_size(64)));
typedef float v16_unaligned __attribute__((vector_size(64), aligned(4), may_alias));

#define BODY static inline __attribute__((always_inline))

// Defines hone_<name>, which runs <name>_body compiled for the wanted instruction set.
#if defined(__x86_64__)
#define TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))
#define TARGET_AVX512 \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")))
#define KERNEL(scope, type, name, parameters, ...)                                       \
    static type name##_portable parameters { (void)isa; return name##_body(__VA_ARGS__); } \
    TARGET_AVX2 static type name##_avx2 parameters {                                     \
        (void)isa;                                                                       \
        return name##_body(__VA_ARGS__);                                                 \
    }                                                                                    \
    TARGET_AVX512 static type name##_avx512 parameters {                                 \
        (void)isa;                                                                       \
        return name##_body(__VA_ARGS__);                                                 \
    }                                                                                    \
    scope type hone_##name parameters {                                                  \
        if (isa == HONE_AVX512) return name##_avx512(isa, __VA_ARGS__);                  \
        if (isa == HONE_AVX2) return name##_avx2(isa, __VA_ARGS__);                      \
        return name##_portable(isa, __VA_ARGS__);                                        \
    }
#else
#define KERNEL(scope, type, name, parameters, ...) \
    scope type hone_##name parameters { (void)isa; return name##_body(__VA_ARGS__); }
#endif

#define LOAD(p) (*(const v16_unaligned *)(p))
#define STORE(p, x) (*(v16_unaligned *)(p) = (x))
#define SPLAT(x) ((v16){} + (x))

BODY size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/// The first n lanes from p, the others `fill`.
BODY void load_part(const float *p, size_t n, float fill, v16 *x) {
    float lanes[16];
    for (int i = 0; i < 16; i++) lanes[i] = (size_t)i < n ? p[i] : fill;
    memcpy(x, lanes, sizeof lanes);
}

BODY void store_part(float *p, size_t n, const v16 *x) {
    float lanes[16];
    memcpy(lanes, x, sizeof lanes);
    for (size_t i = 0; i < n; i++) p[i] = lanes[i];
}

/// The sum of the lanes, by halves.
BODY float sum_lanes(const v16 *x) {
    float s[16];
    memcpy(s, x, sizeof s);
    for (int width = 8; width > 0; width /= 2)
        for (int i = 0; i < width; i++) s[i] += s[i + width];
    return s[0];
}

BODY float largest_lane(const v16 *x) {
    float s[16];
    memcpy(s, x, sizeof s);
    for (int width = 8; width > 0; width /= 2)
        for (int i = 0; i < width; i++) s[i] = s[i] > s[i + width] ? s[i] : s[i + width];
    return s[0];
}

/// Lanes of yes where the mask is set, of no elsewhere; all three are variables.
#define SELECT(mask, yes, no) ((v16)(((i16)(yes) & (mask)) | ((i16)(no) & ~(mask))))

/// x becomes e^x, within 2 units in the last place; below -87.3 it becomes 0, above 88 e^88.
/// Source: Cephes expf's argument reduction and polynomial.
BODY void exponential(v16 *x) {
    v16 low = SPLAT(-87.3f), high = SPLAT(88.0f), zero = SPLAT(0.0f), y = *x;
    i16 alive = y >= low;
    y = SELECT(alive, y, low);
    y = SELECT(y <= high, y, high);
    // Adding 1.5 * 2^23 rounds to an integer that sits in the low bits.
    v16 shifted = y * 1.44269504f + 12582912.0f;
    v16 n = shifted - 12582912.0f;
    y = y - n * 0.693359375f;
    y = y - n * -2.12194440e-4f;
    v16 p = SPLAT(1.9875691500e-4f);
    p = p * y + 1.3981999507e-3f;
    p = p * y + 8.3334519073e-3f;
    p = p * y + 4.1665795894e-2f;
    p = p * y + 1.6666665459e-1f;
    p = p * y + 5.0000001201e-1f;
    p = p * (y * y) + y + 1.0f;
    i16 power = (__builtin_convertvector(n, i16) + 127) << 23;
    p = p * (v16)power;
    *x = SELECT(alive, p, zero);
}

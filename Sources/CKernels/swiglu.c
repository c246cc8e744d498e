#include "vector.h"

// silu(g) = g σ(g), its slope σ(g) (1 + g (1 - σ(g))).

BODY void sigmoid(const v16 *g, v16 *s) {
    v16 e = -*g;
    exponential(&e);
    *s = 1.0f / (1.0f + e);
}

BODY void swiglu_body(size_t rows, size_t n, const float *gate_up, float *y) {
    for (size_t i = 0; i < rows; i++, gate_up += 2 * n, y += n) {
        for (size_t j = 0; j < n; j += 16) {
            size_t columns = smaller(16, n - j);
            v16 g, u, s;
            if (columns == 16) {
                g = LOAD(gate_up + j);
                u = LOAD(gate_up + n + j);
            } else {
                load_part(gate_up + j, columns, 0, &g);
                load_part(gate_up + n + j, columns, 0, &u);
            }
            sigmoid(&g, &s);
            s = g * s * u;
            if (columns == 16) {
                STORE(y + j, s);
            } else {
                store_part(y + j, columns, &s);
            }
        }
    }
}

KERNEL(, void, swiglu,
       (hone_isa isa, size_t rows, size_t n, const float *gate_up, float *y),
       rows, n, gate_up, y)

BODY void swiglu_slopes(v16 *g, v16 *u, v16 *dy) {
    v16 s, gate = *g, up = *u, d = *dy;
    sigmoid(g, &s);
    v16 silu = gate * s;
    *dy = silu * up;
    *u = d * silu;
    *g = d * up * (s * (1.0f + gate * (1.0f - s)));
}

BODY void swiglu_backward_body(size_t rows, size_t n, float *gate_up, float *y) {
    for (size_t i = 0; i < rows; i++, gate_up += 2 * n, y += n) {
        for (size_t j = 0; j < n; j += 16) {
            size_t columns = smaller(16, n - j);
            v16 g, u, dy;
            if (columns == 16) {
                g = LOAD(gate_up + j);
                u = LOAD(gate_up + n + j);
                dy = LOAD(y + j);
                swiglu_slopes(&g, &u, &dy);
                STORE(gate_up + j, g);
                STORE(gate_up + n + j, u);
                STORE(y + j, dy);
            } else {
                load_part(gate_up + j, columns, 0, &g);
                load_part(gate_up + n + j, columns, 0, &u);
                load_part(y + j, columns, 0, &dy);
                swiglu_slopes(&g, &u, &dy);
                store_part(gate_up + j, columns, &g);
                store_part(gate_up + n + j, columns, &u);
                store_part(y + j, columns, &dy);
            }
        }
    }
}

KERNEL(, void, swiglu_backward,
       (hone_isa isa, size_t rows, size_t n, float *gate_up, float *y),
       rows, n, gate_up, y)

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

void hone_pack_transposed(size_t n, size_t k, const float *w, size_t w_row, float *packed,
                          size_t first, size_t last) {
    for (size_t panel = first; panel < last; panel++) {
        float *to = packed + panel * k * HONE_PANEL;
        const float *from = w + panel * HONE_PANEL * w_row;
        size_t columns = n - panel * HONE_PANEL;
        if (columns > HONE_PANEL) columns = HONE_PANEL;
        for (size_t l = 0; l < k; l++) {
            for (size_t j = 0; j < columns; j++) to[l * HONE_PANEL + j] = from[j * w_row + l];
            for (size_t j = columns; j < HONE_PANEL; j++) to[l * HONE_PANEL + j] = 0;
        }
    }
}

void hone_pack(size_t n, size_t k, const float *w, size_t w_row, float *packed, size_t first,
               size_t last) {
    for (size_t panel = first; panel < last; panel++) {
        float *to = packed + panel * k * HONE_PANEL;
        const float *from = w + panel * HONE_PANEL;
        size_t columns = n - panel * HONE_PANEL;
        if (columns > HONE_PANEL) columns = HONE_PANEL;
        for (size_t l = 0; l < k; l++) {
            for (size_t j = 0; j < columns; j++) to[l * HONE_PANEL + j] = from[l * w_row + j];
            for (size_t j = columns; j < HONE_PANEL; j++) to[l * HONE_PANEL + j] = 0;
        }
    }
}

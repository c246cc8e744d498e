#include "vector.h"

void hone_gather(size_t rows, size_t n, const float *table, const int32_t *ids, float *y) {
    for (size_t i = 0; i < rows; i++) {
        memcpy(y + i * n, table + (size_t)ids[i] * n, n * sizeof *y);
    }
}

void hone_scatter_add(size_t rows, size_t n, size_t first, size_t last, const float *dy,
                      const int32_t *ids, float *d_table) {
    for (size_t i = 0; i < rows; i++) {
        float *row = d_table + (size_t)ids[i] * n;
        for (size_t j = first; j < last; j++) row[j] += dy[i * n + j];
    }
}

#include "vector.h"

// Both kernels need a row's maximum and the sum of exponentials below it.

BODY void row_maximum(size_t n, const float *x, float *maximum) {
    v16 most = SPLAT(-INFINITY), y;
    for (size_t j = 0; j < n; j += 16) {
        if (n - j >= 16) {
            y = LOAD(x + j);
        } else {
            load_part(x + j, n - j, -INFINITY, &y);
        }
        most = SELECT(y > most, y, most);
    }
    *maximum = largest_lane(&most);
}

/// The sum of e^(x - maximum); the exponentials replace x when `keep`.
BODY float row_exponentials(size_t n, float *x, float maximum, const int keep) {
    v16 total = SPLAT(0.0f), y;
    for (size_t j = 0; j < n; j += 16) {
        size_t columns = smaller(16, n - j);
        if (columns == 16) {
            y = LOAD(x + j);
        } else {
            load_part(x + j, columns, -INFINITY, &y);
        }
        y = y - maximum;
        exponential(&y);
        total += y;
        if (!keep) continue;
        if (columns == 16) {
            STORE(x + j, y);
        } else {
            store_part(x + j, columns, &y);
        }
    }
    return sum_lanes(&total);
}

BODY void cross_entropy_body(size_t rows, size_t n, float *logits, const int32_t *targets,
                             float scale, double *losses) {
    for (size_t i = 0; i < rows; i++, logits += n) {
        float maximum, wanted = logits[targets[i]];
        row_maximum(n, logits, &maximum);
        float total = row_exponentials(n, logits, maximum, 1);
        losses[i] = log((double)total) + (double)maximum - (double)wanted;
        float factor = scale / total;
        for (size_t j = 0; j < n; j++) logits[j] *= factor;
        logits[targets[i]] -= scale;
    }
}

KERNEL(, void, cross_entropy,
       (hone_isa isa, size_t rows, size_t n, float *logits, const int32_t *targets, float scale,
        double *losses),
       rows, n, logits, targets, scale, losses)

BODY void log_softmax_body(size_t rows, size_t n, float *logits) {
    for (size_t i = 0; i < rows; i++, logits += n) {
        float maximum;
        row_maximum(n, logits, &maximum);
        float normal = maximum + logf(row_exponentials(n, logits, maximum, 0));
        for (size_t j = 0; j < n; j++) logits[j] -= normal;
    }
}

KERNEL(, void, log_softmax, (hone_isa isa, size_t rows, size_t n, float *logits), rows, n, logits)

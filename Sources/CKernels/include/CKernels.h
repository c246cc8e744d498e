#pragma once
#include <stddef.h>
#include <stdint.h>

// Every kernel takes plain arrays and sizes, allocates nothing and keeps nothing. The first
// argument names the instruction set, so that a test can compare them; sums run in one order
// whatever the set, the number of rows beside them, or the number of threads.
//
// Unless a kernel says otherwise, matrices are row-major and arrays may be *read* (never written)
// up to 31 floats past their last element: whoever owns the memory pads it.

typedef enum { HONE_PORTABLE = 0, HONE_AVX2 = 1, HONE_AVX512 = 2 } hone_isa;

/// The best instruction set of this machine.
hone_isa hone_best_isa(void);

/// Tells the core that the caller spins.
static inline void hone_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

// gemm.c -------------------------------------------------------------------------------------

/// Columns of one packed panel.
enum { HONE_PANEL = 32 };

/// c(m, n) = or += Σ_k a(m, k) b(k, n), summed in the order of k, in blocks of 256.
/// a(m, k) lies at a[m * a_row + k * a_column];
/// b(k, n) at b[(n / 32) * b_panel + k * b_row + n % 32]: a packed matrix has b_row 32 and
/// b_panel 32 * k, a plain one b_row = its row length and b_panel 32.
void hone_gemm(hone_isa isa, size_t m, size_t n, size_t k, const float *a, size_t a_row,
               size_t a_column, const float *b, size_t b_row, size_t b_panel, float *c,
               size_t c_row, int accumulate);

/// The plain loop hone_gemm is compared with; sums in double.
void hone_gemm_reference(size_t m, size_t n, size_t k, const float *a, size_t a_row,
                         size_t a_column, const float *b, size_t b_row, size_t b_panel, float *c,
                         size_t c_row, int accumulate);

/// Packs rows [first, last) of panels of w (n, k), so that b(k, n) = w[n * w_row + k].
/// packed: panels of (k, 32); absent columns are zero.
void hone_pack_transposed(size_t n, size_t k, const float *w, size_t w_row, float *packed,
                          size_t first, size_t last);

// attention.c --------------------------------------------------------------------------------

/// Floats of scratch the two training kernels need for a sequence of `length`.
size_t hone_attention_scratch(size_t length, size_t head_dimension);

/// Causal attention of one sequence and one key-value head with its `group` query heads.
/// q: first query head's columns in row 0; k, v: this head's columns; all rows `row` apart.
/// out: (length, heads * d) rows `out_row` apart, at the first query head's columns.
/// lse: log of the sum of exponentials, [length][lse_row] at the first query head.
void hone_attention_forward(hone_isa isa, size_t length, size_t group, size_t d, float scale,
                            const float *q, const float *k, const float *v, size_t row, float *out,
                            size_t out_row, float *lse, size_t lse_row, float *scratch);

/// Gradients of the above: reads out, lse and d_out, writes dq, dk, dv (rows `row` apart).
void hone_attention_backward(hone_isa isa, size_t length, size_t group, size_t d, float scale,
                             const float *q, const float *k, const float *v, size_t row,
                             const float *out, const float *d_out, size_t out_row,
                             const float *lse, size_t lse_row, float *dq, float *dk, float *dv,
                             float *scratch);

/// Floats of scratch the cached kernel needs when `keys` positions are visible.
size_t hone_attention_cached_scratch(size_t keys);

/// Attention of `rows` new queries over a cache that already holds them.
/// keys: panels of 32 positions, each (d, 32); values: (positions, d).
/// Query i sits at position `past + i` and sees positions 0…past + i.
void hone_attention_cached(hone_isa isa, size_t rows, size_t past, size_t group, size_t d,
                           float scale, const float *q, size_t q_row, const float *keys,
                           const float *values, float *out, size_t out_row, float *scratch);

/// Writes `rows` new keys and values (rows `row` apart) into a cache from position `past` on.
void hone_cache_append(size_t rows, size_t past, size_t d, const float *k, const float *v,
                       size_t row, float *keys, float *values);

// norm.c -------------------------------------------------------------------------------------

/// y = x * r * weight with r = 1 / sqrt(mean(x²) + epsilon); r is kept for the backward pass
/// when `inverse` is not null. x, y: (rows, n).
void hone_rms_norm(hone_isa isa, size_t rows, size_t n, const float *x, const float *weight,
                   float epsilon, float *y, float *inverse);

/// y = x * inverse * weight, from the factors kept.
void hone_rms_norm_again(hone_isa isa, size_t rows, size_t n, const float *x, const float *weight,
                         const float *inverse, float *y);

/// dx += gradient of x; d_weight (n) += gradient of weight, both for `rows` rows.
void hone_rms_norm_backward(hone_isa isa, size_t rows, size_t n, const float *x,
                            const float *weight, const float *inverse, const float *dy, float *dx,
                            float *d_weight);

// rotary.c -----------------------------------------------------------------------------------

/// Rotates the halves of `heads` heads of d columns in each row by its position's angles,
/// in place. cosine, sine: (positions, d / 2). direction 1 forward, -1 backward.
void hone_rotary(hone_isa isa, size_t rows, size_t heads, size_t d, float *x, size_t row,
                 const int32_t *positions, const float *cosine, const float *sine,
                 float direction);

// swiglu.c -----------------------------------------------------------------------------------

/// y = silu(gate) * up; gate_up: (rows, 2n) with gate first; y: (rows, n).
void hone_swiglu(hone_isa isa, size_t rows, size_t n, const float *gate_up, float *y);

/// gate_up becomes its gradient; y holds dy on entry and silu(gate) * up on return.
void hone_swiglu_backward(hone_isa isa, size_t rows, size_t n, float *gate_up, float *y);

// entropy.c ----------------------------------------------------------------------------------

/// Cross-entropy of each row of logits (rows, n) against its target. losses: (rows).
/// logits become their gradient times `scale`.
void hone_cross_entropy(hone_isa isa, size_t rows, size_t n, float *logits,
                        const int32_t *targets, float scale, double *losses);

/// logits (rows, n) become log-probabilities.
void hone_log_softmax(hone_isa isa, size_t rows, size_t n, float *logits);

// embedding.c --------------------------------------------------------------------------------

/// y[i] = table[ids[i]]; table: (vocabulary, n).
void hone_gather(size_t rows, size_t n, const float *table, const int32_t *ids, float *y);

/// d_table[ids[i]] += dy[i] for columns [first, last), in the order of i.
void hone_scatter_add(size_t rows, size_t n, size_t first, size_t last, const float *dy,
                      const int32_t *ids, float *d_table);

// adamw.c ------------------------------------------------------------------------------------

/// One AdamW step on n values; gradients are multiplied by `gradient_scale` first.
/// step_size = rate / (1 - beta1^t), root = sqrt(1 - beta2^t), keep = 1 - rate * decay.
void hone_adamw(hone_isa isa, size_t n, float *value, const float *gradient, float *first,
                float *second, float gradient_scale, float beta1, float beta2, float epsilon,
                float step_size, float root, float keep);

/// Σ x², in double, in a fixed order.
double hone_sum_of_squares(hone_isa isa, size_t n, const float *x);

/// y += x * factor.
void hone_add(hone_isa isa, size_t n, const float *x, float factor, float *y);

// convert.c ----------------------------------------------------------------------------------

/// Rounds to nearest, ties to even; not-a-number stays so.
void hone_to_bf16(size_t n, const float *x, uint16_t *y);
void hone_from_bf16(size_t n, const uint16_t *x, float *y);
void hone_from_fp16(size_t n, const uint16_t *x, float *y);

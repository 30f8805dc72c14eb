#pragma once

#include <cstdint>

/// Softmax pooling of whole rows: the only work per token before the two softmaxes of Fastformer's
/// attention (Wu et al., arXiv 2108.09084, equations 3-6), after query and key weights are merged
/// into h vectors a_h:
///   w[i, h] = softmax over i of x_i . a_h,   pooled_h = sum_i w[i, h] x_i
///
/// Needs one pass over memory: a tile of rows is read once, for its logits and for its part of the
/// sums, with a running maximum (Milakov and Gimelshein, arXiv 1805.02867). Long sequences are
/// divided into blocks, which threads pool separately and which are then merged in order, so that
/// the result does not depend on the number of threads.
///
/// x is [n, d], queries and pooled are [h, d], all row-major and not overlapping; d = `width`,
/// h = `heads`. `Real` is float or double. No function allocates memory or throws.
namespace fastformer::kernels {

/// Elements of the running softmax of some rows: h maxima, h sums and [h, d] weighted sums.
inline std::int64_t pooling_state_size(std::int64_t width, std::int64_t heads) {
  return heads * (width + 2);
}

/// Elements of scratch memory for one block.
std::int64_t row_pooling_scratch_size(std::int64_t width, std::int64_t heads);

/// Writes the running softmax of the rows of one block to `state`; n = 0 gives an empty state.
template <class Real>
void pool_block(const Real* x, const Real* queries, std::int64_t n, std::int64_t width,
                std::int64_t heads, Real* state, Real* scratch);

/// Merges `other` into `state`, which then covers the rows of both.
template <class Real>
void merge_pooling(const Real* other, std::int64_t width, std::int64_t heads, Real* state);

/// Divides by the sums: pooled [h, d] and statistics [2, h], the maximum and the inverse sum, with
/// which w[i, h] = exp(logit - maximum) * inverse. Without rows, pooled is zero.
template <class Real>
void finish_pooling(const Real* state, std::int64_t width, std::int64_t heads, Real* pooled,
                    Real* statistics);

/// Computes the weights [n, h] of a block, for explanations.
template <class Real>
void pooling_weights(const Real* x, const Real* queries, const Real* statistics, std::int64_t n,
                     std::int64_t width, std::int64_t heads, Real* weights, Real* scratch);

/// Gradients of a block, given g = dL/dpooled [h, d], with m_h = pooled_h . g_h:
///   dlogit[i, h] = w[i, h] (x_i . g_h - m_h),   dx_i += sum_h w[i, h] g_h + dlogit[i, h] a_h,
///   dqueries_h += sum_i dlogit[i, h] x_i
/// The weights are recomputed from `statistics`. The results are added to dx and dqueries.
template <class Real>
void pool_block_backward(const Real* x, const Real* queries, const Real* pooled,
                         const Real* statistics, const Real* gradient, std::int64_t n,
                         std::int64_t width, std::int64_t heads, Real* dx, Real* dqueries,
                         Real* scratch);

}  // namespace fastformer::kernels

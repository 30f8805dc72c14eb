#pragma once

#include <cstdint>

/// Softmax pooling of the rows of one segment: the three poolings of a Fastformer layer (global
/// query, global key, final vector) are this operation. Source: arXiv 2108.09084, equations 3-6;
/// the maximum is subtracted before the exponential.
///
/// One segment has n rows of x [n, d] and h heads; w [n, h] are the softmax weights over its rows.
/// An empty segment (n = 0) pools to zero. All arrays are row-major and do not overlap.
/// `Real` is float or double.
namespace fastformer::kernels {

/// logits [n, h] -> weights [n, h] in place: each column becomes its softmax over the rows.
template <class Real>
void segment_softmax(Real* logits, std::int64_t n, std::int64_t heads);

/// pooled [d]: column c takes the weights of its own head c / (d / h).
///   pooled[c] = sum_i w[i, head(c)] x[i, c]
template <class Real>
void pool_own_columns(const Real* x, const Real* weights, std::int64_t n, std::int64_t width,
                      std::int64_t heads, Real* pooled);

/// Gradients of pool_own_columns through the softmax, given g = dL/dpooled [d]:
///   dlogits[i, h] = w[i, h] (x[i, h].g[h] - pooled[h].g[h]),   dx[i, c] = w[i, head(c)] g[c]
/// Both outputs are overwritten.
template <class Real>
void pool_own_columns_backward(const Real* x, const Real* weights, const Real* pooled,
                               const Real* gradient, std::int64_t n, std::int64_t width,
                               std::int64_t heads, Real* dx, Real* dlogits);

/// pooled [h, d]: every head pools whole rows, with logits x queries^T; queries [h, d].
/// weights [n, h] receives the softmax weights.
template <class Real>
void pool_rows(const Real* x, const Real* queries, std::int64_t n, std::int64_t width,
               std::int64_t heads, Real* weights, Real* pooled);

/// Gradients of pool_rows, given g = dL/dpooled [h, d]:
///   dlogits[i, h] = w[i, h] (x_i.g_h - pooled_h.g_h),   dx = w g + dlogits queries,
///   dqueries = dlogits^T x.
/// dx [n, d], dlogits [n, h] and dqueries [h, d] are overwritten.
template <class Real>
void pool_rows_backward(const Real* x, const Real* queries, const Real* weights, const Real* pooled,
                        const Real* gradient, std::int64_t n, std::int64_t width,
                        std::int64_t heads, Real* dx, Real* dlogits, Real* dqueries);

}  // namespace fastformer::kernels

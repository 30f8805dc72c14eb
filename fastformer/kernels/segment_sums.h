#pragma once

#include <cstdint>

/// The softmax over the logits of a segment, and the sum of its rows with these weights: the
/// operations of additive pooling (Wu et al., arXiv 2108.09084, section 3.2). The maximum is
/// subtracted before the exponential.
///
/// x is [n, d], row-major. `Real` is float or double. No function allocates memory or throws.
namespace fastformer::kernels {

/// Replaces the logits [n] by their softmax.
template <class Real>
void segment_softmax(Real* logits, std::int64_t n);

/// sum [d] = sum_i w_i x_i; zeros if n = 0.
template <class Real>
void segment_sum(const Real* x, const Real* weights, std::int64_t n, std::int64_t width, Real* sum);

/// Gradients of segment_sum through the softmax, given g = dL/dsum [d]:
///   dlogit_i = w_i (x_i . g - sum . g),   dx_i = w_i g
/// Both outputs are overwritten.
template <class Real>
void segment_sum_backward(const Real* x, const Real* weights, const Real* sum, const Real* gradient,
                          std::int64_t n, std::int64_t width, Real* dx, Real* dlogits);

}  // namespace fastformer::kernels

#pragma once

#include <cstdint>

/// Softmax pooling of the rows of one segment by logits that are given: the last pooling of a
/// Fastformer model, which makes one vector of a sequence. Source: arXiv 2108.09084, section 3.2;
/// the maximum is subtracted before the exponential.
///
/// x is [n, d], row-major. An empty segment (n = 0) pools to zero. `Real` is float or double.
namespace fastformer::kernels {

/// logits [n] -> weights [n] in place.
template <class Real>
void segment_softmax(Real* logits, std::int64_t n);

/// pooled [d] = sum_i w_i x_i
template <class Real>
void pool_segment(const Real* x, const Real* weights, std::int64_t n, std::int64_t width,
                  Real* pooled);

/// Gradients of pool_segment through the softmax, given g = dL/dpooled [d]:
///   dlogit_i = w_i (x_i . g - pooled . g),   dx_i = w_i g
/// Both outputs are overwritten.
template <class Real>
void pool_segment_backward(const Real* x, const Real* weights, const Real* pooled,
                           const Real* gradient, std::int64_t n, std::int64_t width, Real* dx,
                           Real* dlogits);

}  // namespace fastformer::kernels

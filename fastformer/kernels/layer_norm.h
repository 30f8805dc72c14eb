#pragma once

#include <cstdint>

/// Layer normalization of rows (Ba et al., arXiv 1607.06450):
///   y = (x - mean) inverse * weight + bias,   inverse = 1 / sqrt(variance + epsilon)
/// with the mean and the biased variance of each row. The variance is computed in a second pass
/// over the row, because a difference of mean squares would cancel if the mean is large.
///
/// x is [n, d], row-major, d = `width`. statistics [n, 2]: mean and `inverse` of each row. `Real`
/// is float or double. No function allocates memory or throws. n = 0 and d = 0 are allowed.
namespace fastformer::kernels {

/// y may be x. `statistics` may be null.
template <class Real>
void layer_norm(const Real* x, const Real* weight, const Real* bias, double epsilon, std::int64_t n,
                std::int64_t width, Real* y, Real* statistics);

/// The same for the rows x + added; y may be x or `added`.
void layer_norm_of_sum(const float* x, const float* added, const float* weight, const float* bias,
                       double epsilon, std::int64_t n, std::int64_t width, float* y);

/// Given g = dL/dy, with z = (x - mean) inverse and a = g * weight:
///   dx = inverse (a - mean(a) - z mean(a z)),  dweight += sum_i g_i z_i,  dbias += sum_i g_i
/// dx is overwritten and may be g.
template <class Real>
void layer_norm_backward(const Real* x, const Real* weight, const Real* statistics, const Real* g,
                         std::int64_t n, std::int64_t width, Real* dx, Real* dweight, Real* dbias);

}  // namespace fastformer::kernels

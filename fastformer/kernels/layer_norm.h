#pragma once

#include <cstdint>

/// Layer normalisation of rows (Ba et al., arXiv 1607.06450):
///   y = (x - mean) inverse * weight + bias,   inverse = 1 / sqrt(variance + epsilon)
/// with the mean and the biased variance of each row, the variance from a second pass over the row
/// (a difference of means of squares would cancel where the mean is large).
///
/// x is [n, d], row-major; statistics are [n, 2], the mean and the inverse of each row. `Real` is
/// float or double. Nothing is allocated; no call throws. d = 0 and n = 0 give nothing.
namespace fastformer::kernels {

/// y may be x. `statistics` may be null.
template <class Real>
void layer_norm(const Real* x, const Real* weight, const Real* bias, double epsilon, std::int64_t n,
                std::int64_t width, Real* y, Real* statistics);

/// Given g = dL/dy, with z = (x - mean) inverse and a = g * weight:
///   dx = inverse (a - mean(a) - z mean(a z)),  dweight += sum_i g_i z_i,  dbias += sum_i g_i
/// dx is overwritten and may be g.
template <class Real>
void layer_norm_backward(const Real* x, const Real* weight, const Real* statistics, const Real* g,
                         std::int64_t n, std::int64_t width, Real* dx, Real* dweight, Real* dbias);

}  // namespace fastformer::kernels

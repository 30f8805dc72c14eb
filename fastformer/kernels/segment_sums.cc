#include "fastformer/kernels/segment_sums.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fastformer::kernels {

template <class Real>
void segment_softmax(Real* logits, std::int64_t n) {
  if (n == 0) return;
  const Real maximum = *std::max_element(logits, logits + n);
  Real sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    logits[i] = std::exp(logits[i] - maximum);
    sum += logits[i];
  }
  for (std::int64_t i = 0; i < n; ++i) logits[i] /= sum;
}

template <class Real>
void segment_sum(const Real* x, const Real* weights, std::int64_t n, std::int64_t width,
                 Real* sum) {
  std::fill(sum, sum + width, Real{0});
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t c = 0; c < width; ++c) sum[c] += weights[i] * x[i * width + c];
  }
}

template <class Real>
void segment_sum_backward(const Real* x, const Real* weights, const Real* sum, const Real* gradient,
                          std::int64_t n, std::int64_t width, Real* dx, Real* dlogits) {
  const Real mean = std::inner_product(sum, sum + width, gradient, Real{0});
  for (std::int64_t i = 0; i < n; ++i) {
    const Real* row = x + i * width;
    dlogits[i] = weights[i] * (std::inner_product(row, row + width, gradient, Real{0}) - mean);
    for (std::int64_t c = 0; c < width; ++c) dx[i * width + c] = weights[i] * gradient[c];
  }
}

#define FASTFORMER_INSTANTIATE(Real)                                                      \
  template void segment_softmax(Real*, std::int64_t);                                     \
  template void segment_sum(const Real*, const Real*, std::int64_t, std::int64_t, Real*); \
  template void segment_sum_backward(const Real*, const Real*, const Real*, const Real*,  \
                                     std::int64_t, std::int64_t, Real*, Real*);
FASTFORMER_INSTANTIATE(float)
FASTFORMER_INSTANTIATE(double)
#undef FASTFORMER_INSTANTIATE

}  // namespace fastformer::kernels

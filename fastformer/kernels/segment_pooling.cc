#include "fastformer/kernels/segment_pooling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "fastformer/kernels/gemm.h"

namespace fastformer::kernels {
namespace {

template <class Real>
Real dot(const Real* a, const Real* b, std::int64_t size) {
  Real sum = 0;
  for (std::int64_t i = 0; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

template <class Real>
void segment_softmax(Real* logits, std::int64_t n, std::int64_t heads) {
  std::vector<Real> maximum(heads, -std::numeric_limits<Real>::infinity());
  std::vector<Real> sum(heads, Real{0});
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t h = 0; h < heads; ++h) {
      maximum[h] = std::max(maximum[h], logits[i * heads + h]);
    }
  }
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t h = 0; h < heads; ++h) {
      Real& value = logits[i * heads + h];
      value = std::exp(value - maximum[h]);
      sum[h] += value;
    }
  }
  for (std::int64_t h = 0; h < heads; ++h) sum[h] = Real{1} / sum[h];
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t h = 0; h < heads; ++h) logits[i * heads + h] *= sum[h];
  }
}

template <class Real>
void pool_own_columns(const Real* x, const Real* weights, std::int64_t n, std::int64_t width,
                      std::int64_t heads, Real* pooled) {
  const std::int64_t head_width = width / heads;
  std::fill(pooled, pooled + width, Real{0});
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t h = 0; h < heads; ++h) {
      const Real weight = weights[i * heads + h];
      const Real* row = x + i * width + h * head_width;
      Real* sum = pooled + h * head_width;
      for (std::int64_t c = 0; c < head_width; ++c) sum[c] += weight * row[c];
    }
  }
}

template <class Real>
void pool_own_columns_backward(const Real* x, const Real* weights, const Real* pooled,
                               const Real* gradient, std::int64_t n, std::int64_t width,
                               std::int64_t heads, Real* dx, Real* dlogits) {
  const std::int64_t head_width = width / heads;
  std::vector<Real> mean(heads);
  for (std::int64_t h = 0; h < heads; ++h) {
    mean[h] = dot(pooled + h * head_width, gradient + h * head_width, head_width);
  }
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t h = 0; h < heads; ++h) {
      const Real weight = weights[i * heads + h];
      const Real* g = gradient + h * head_width;
      const Real* row = x + i * width + h * head_width;
      Real* out = dx + i * width + h * head_width;
      dlogits[i * heads + h] = weight * (dot(row, g, head_width) - mean[h]);
      for (std::int64_t c = 0; c < head_width; ++c) out[c] = weight * g[c];
    }
  }
}

template <class Real>
void pool_rows(const Real* x, const Real* queries, std::int64_t n, std::int64_t width,
               std::int64_t heads, Real* weights, Real* pooled) {
  if (n == 0) {
    std::fill(pooled, pooled + heads * width, Real{0});
    return;
  }
  gemm(Transpose::kNo, Transpose::kYes, n, heads, width, Real{1}, x, width, queries, width, Real{0},
       weights, heads);
  segment_softmax(weights, n, heads);
  gemm(Transpose::kYes, Transpose::kNo, heads, width, n, Real{1}, weights, heads, x, width, Real{0},
       pooled, width);
}

template <class Real>
void pool_rows_backward(const Real* x, const Real* queries, const Real* weights, const Real* pooled,
                        const Real* gradient, std::int64_t n, std::int64_t width,
                        std::int64_t heads, Real* dx, Real* dlogits, Real* dqueries) {
  if (n == 0) {
    std::fill(dqueries, dqueries + heads * width, Real{0});
    return;
  }
  gemm(Transpose::kNo, Transpose::kYes, n, heads, width, Real{1}, x, width, gradient, width,
       Real{0}, dlogits, heads);
  for (std::int64_t h = 0; h < heads; ++h) {
    const Real mean = dot(pooled + h * width, gradient + h * width, width);
    for (std::int64_t i = 0; i < n; ++i) {
      dlogits[i * heads + h] = weights[i * heads + h] * (dlogits[i * heads + h] - mean);
    }
  }
  gemm(Transpose::kNo, Transpose::kNo, n, width, heads, Real{1}, weights, heads, gradient, width,
       Real{0}, dx, width);
  gemm(Transpose::kNo, Transpose::kNo, n, width, heads, Real{1}, dlogits, heads, queries, width,
       Real{1}, dx, width);
  gemm(Transpose::kYes, Transpose::kNo, heads, width, n, Real{1}, dlogits, heads, x, width, Real{0},
       dqueries, width);
}

#define FASTFORMER_INSTANTIATE(Real)                                                               \
  template void segment_softmax(Real*, std::int64_t, std::int64_t);                                \
  template void pool_own_columns(const Real*, const Real*, std::int64_t, std::int64_t,             \
                                 std::int64_t, Real*);                                             \
  template void pool_own_columns_backward(const Real*, const Real*, const Real*, const Real*,      \
                                          std::int64_t, std::int64_t, std::int64_t, Real*, Real*); \
  template void pool_rows(const Real*, const Real*, std::int64_t, std::int64_t, std::int64_t,      \
                          Real*, Real*);                                                           \
  template void pool_rows_backward(const Real*, const Real*, const Real*, const Real*,             \
                                   const Real*, std::int64_t, std::int64_t, std::int64_t, Real*,   \
                                   Real*, Real*);
FASTFORMER_INSTANTIATE(float)
FASTFORMER_INSTANTIATE(double)
#undef FASTFORMER_INSTANTIATE

}  // namespace fastformer::kernels

#include "fastformer/kernels/window_pooling.h"

#include <algorithm>
#include <cmath>

namespace fastformer::kernels {

template <class Real>
void pool_by_weights(const PoolingWindows& windows, const PooledColumns& shape, const Real* x,
                     const Real* weights, std::int64_t weights_stride, Real* pooled) {
  const auto [columns, stride] = shape;
  for (std::int64_t p = 0; p < windows.count(); ++p) {
    Real* to = pooled + p * stride;
    std::fill(to, to + columns, Real{0});
    for (std::int64_t m = 0; m < windows.covered(p); ++m) {
      const Real weight = weights[p * weights_stride + m];
      if (weight == 0) continue;
      const Real* row = x + (windows.first(p) + m) * stride;
      for (std::int64_t c = 0; c < columns; ++c) to[c] += weight * row[c];
    }
  }
}

template <class Real>
void pool_by_weights_backward(const PoolingWindows& windows, const PooledColumns& shape,
                              const Real* x, const Real* weights, std::int64_t weights_stride,
                              const Real* gradient, Real* dx, Real* dweights) {
  const auto [columns, stride] = shape;
  for (std::int64_t p = 0; p < windows.count(); ++p) {
    const Real* g = gradient + p * stride;
    for (std::int64_t m = 0; m < windows.covered(p); ++m) {
      const auto at = (windows.first(p) + m) * stride;
      const Real weight = weights[p * weights_stride + m];
      if (dweights != nullptr) {
        Real sum = 0;
        for (std::int64_t c = 0; c < columns; ++c) sum += g[c] * x[at + c];
        dweights[p * weights_stride + m] = sum;
      }
      if (weight == 0) continue;
      for (std::int64_t c = 0; c < columns; ++c) dx[at + c] += weight * g[c];
    }
  }
}

template <class Real>
void pool_maxima(const PoolingWindows& windows, const PooledColumns& shape, const Real* x,
                 Real* pooled) {
  const auto [columns, stride] = shape;
  for (std::int64_t p = 0; p < windows.count(); ++p) {
    const Real* row = x + windows.first(p) * stride;
    Real* to = pooled + p * stride;
    std::copy(row, row + columns, to);
    for (std::int64_t m = 1; m < windows.covered(p); ++m) {
      row += stride;
      for (std::int64_t c = 0; c < columns; ++c) {
        const bool larger = row[c] > to[c] || std::isnan(row[c]);
        to[c] = larger ? row[c] : to[c];
      }
    }
  }
}

template <class Real>
void pool_maxima_backward(const PoolingWindows& windows, const PooledColumns& shape, const Real* x,
                          const Real* pooled, const Real* gradient, Real* dx, Real* scratch) {
  const auto [columns, stride] = shape;
  for (std::int64_t p = 0; p < windows.count(); ++p) {
    const Real *highest = pooled + p * stride, *g = gradient + p * stride;
    std::copy(g, g + columns, scratch);  // what no row has taken yet
    for (std::int64_t m = 0; m < windows.covered(p); ++m) {
      const auto at = (windows.first(p) + m) * stride;
      for (std::int64_t c = 0; c < columns; ++c) {
        // Not `==`: a maximum that is not a number goes to the first row.
        const bool taken = !(x[at + c] < highest[c]);
        dx[at + c] += taken ? scratch[c] : Real{0};
        scratch[c] = taken ? Real{0} : scratch[c];
      }
    }
  }
}

#define FASTFORMER_INSTANTIATE(Real)                                                               \
  template void pool_by_weights(const PoolingWindows&, const PooledColumns&, const Real*,          \
                                const Real*, std::int64_t, Real*);                                 \
  template void pool_by_weights_backward(const PoolingWindows&, const PooledColumns&, const Real*, \
                                         const Real*, std::int64_t, const Real*, Real*, Real*);    \
  template void pool_maxima(const PoolingWindows&, const PooledColumns&, const Real*, Real*);      \
  template void pool_maxima_backward(const PoolingWindows&, const PooledColumns&, const Real*,     \
                                     const Real*, const Real*, Real*, Real*);
FASTFORMER_INSTANTIATE(float)
FASTFORMER_INSTANTIATE(double)
#undef FASTFORMER_INSTANTIATE

}  // namespace fastformer::kernels

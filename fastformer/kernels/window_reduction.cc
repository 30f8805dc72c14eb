#include "fastformer/kernels/window_reduction.h"

#include <algorithm>
#include <cmath>

namespace fastformer::kernels {

template <class Real>
void window_sums(const RowWindows& windows, const WindowColumns& shape, const Real* x,
                 const Real* weights, std::int64_t weights_stride, Real* reduced) {
  const auto [columns, stride] = shape;
  for (std::int64_t p = 0; p < windows.count(); ++p) {
    Real* to = reduced + p * stride;
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
void window_sums_backward(const RowWindows& windows, const WindowColumns& shape, const Real* x,
                          const Real* weights, std::int64_t weights_stride, const Real* gradient,
                          Real* dx, Real* dweights) {
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
void window_maxima(const RowWindows& windows, const WindowColumns& shape, const Real* x,
                   Real* reduced) {
  const auto [columns, stride] = shape;
  for (std::int64_t p = 0; p < windows.count(); ++p) {
    const Real* row = x + windows.first(p) * stride;
    Real* to = reduced + p * stride;
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
void window_maxima_backward(const RowWindows& windows, const WindowColumns& shape, const Real* x,
                            const Real* reduced, const Real* gradient, Real* dx, Real* scratch) {
  const auto [columns, stride] = shape;
  for (std::int64_t p = 0; p < windows.count(); ++p) {
    const Real *highest = reduced + p * stride, *g = gradient + p * stride;
    std::copy(g, g + columns, scratch);  // gradients not yet assigned to a row
    for (std::int64_t m = 0; m < windows.covered(p); ++m) {
      const auto at = (windows.first(p) + m) * stride;
      for (std::int64_t c = 0; c < columns; ++c) {
        // Not `==`: a NaN maximum belongs to the first row.
        const bool taken = !(x[at + c] < highest[c]);
        dx[at + c] += taken ? scratch[c] : Real{0};
        scratch[c] = taken ? Real{0} : scratch[c];
      }
    }
  }
}

#define FASTFORMER_INSTANTIATE(Real)                                                           \
  template void window_sums(const RowWindows&, const WindowColumns&, const Real*, const Real*, \
                            std::int64_t, Real*);                                              \
  template void window_sums_backward(const RowWindows&, const WindowColumns&, const Real*,     \
                                     const Real*, std::int64_t, const Real*, Real*, Real*);    \
  template void window_maxima(const RowWindows&, const WindowColumns&, const Real*, Real*);    \
  template void window_maxima_backward(const RowWindows&, const WindowColumns&, const Real*,   \
                                       const Real*, const Real*, Real*, Real*);
FASTFORMER_INSTANTIATE(float)
FASTFORMER_INSTANTIATE(double)
#undef FASTFORMER_INSTANTIATE

}  // namespace fastformer::kernels

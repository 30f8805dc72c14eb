#pragma once

#include <algorithm>
#include <cstdint>

/// One row for each window of a sequence's rows: their sum by weights, or their maxima
/// (Poolingformer's pooling of keys and values: Zhang et al., arXiv 2105.04371, section 3.2).
///
/// Matrices are row-major; a call works on `columns` adjacent columns of rows that are `stride`
/// apart. Nothing is allocated; no call throws. `Real` is float or double.
namespace fastformer::kernels {

/// Window p covers rows p * step .. min(p * step + size, rows) - 1, always at least one.
struct RowWindows {
  std::int64_t rows, size, step;

  std::int64_t count() const { return (rows + step - 1) / step; }
  std::int64_t first(std::int64_t window) const { return window * step; }
  /// Rows of this window.
  std::int64_t covered(std::int64_t window) const { return std::min(size, rows - first(window)); }
};

/// Columns of rows that lie `stride` apart.
struct WindowColumns {
  std::int64_t columns, stride;
};

/// y_p = sum over its rows m of weights[p, m] x_m, with the weights of a window
/// `weights_stride` apart from those of the next. Rows of weight zero are not read.
template <class Real>
void window_sums(const RowWindows& windows, const WindowColumns& shape, const Real* x,
                 const Real* weights, std::int64_t weights_stride, Real* reduced);

/// dx_m += weights[p, m] g_p, and if dweights is given, dweights[p, m] = g_p . x_m for the rows of
/// the windows.
template <class Real>
void window_sums_backward(const RowWindows& windows, const WindowColumns& shape, const Real* x,
                          const Real* weights, std::int64_t weights_stride, const Real* gradient,
                          Real* dx, Real* dweights);

/// y_p = the element-wise maximum of its rows; NaN counts as the largest.
template <class Real>
void window_maxima(const RowWindows& windows, const WindowColumns& shape, const Real* x,
                   Real* reduced);

/// dx of the first row that holds the maximum += g_p, column by column. `scratch`: one row.
template <class Real>
void window_maxima_backward(const RowWindows& windows, const WindowColumns& shape, const Real* x,
                            const Real* reduced, const Real* gradient, Real* dx, Real* scratch);

}  // namespace fastformer::kernels

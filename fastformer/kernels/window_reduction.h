#pragma once

#include <algorithm>
#include <cstdint>

/// Reduces each window of a sequence's rows to one row: a weighted sum or the maxima
/// (Poolingformer's pooling of keys and values: Zhang et al., arXiv 2105.04371, section 3.2).
///
/// Matrices are row-major. A call works on `columns` adjacent columns of rows that are `stride`
/// apart. No function allocates memory or throws. `Real` is float or double.
namespace fastformer::kernels {

/// Window p covers rows p * step .. min(p * step + size, rows) - 1, at least one row.
struct RowWindows {
  std::int64_t rows, size, step;

  std::int64_t count() const { return (rows + step - 1) / step; }
  std::int64_t first(std::int64_t window) const { return window * step; }
  /// Number of rows in this window.
  std::int64_t covered(std::int64_t window) const { return std::min(size, rows - first(window)); }
};

/// The columns to work on, and the distance between rows.
struct WindowColumns {
  std::int64_t columns, stride;
};

/// reduced_p = sum over the rows m of window p of weights[p, m] x_m. The weights of consecutive
/// windows are `weights_stride` apart. Rows with weight zero are not read.
template <class Real>
void window_sums(const RowWindows& windows, const WindowColumns& shape, const Real* x,
                 const Real* weights, std::int64_t weights_stride, Real* reduced);

/// Given g = dL/dreduced: dx_m += weights[p, m] g_p and, unless dweights is null,
/// dweights[p, m] = g_p . x_m, for the rows m of each window p.
template <class Real>
void window_sums_backward(const RowWindows& windows, const WindowColumns& shape, const Real* x,
                          const Real* weights, std::int64_t weights_stride, const Real* gradient,
                          Real* dx, Real* dweights);

/// reduced_p = the element-wise maximum of the rows of window p; NaN counts as the largest number.
template <class Real>
void window_maxima(const RowWindows& windows, const WindowColumns& shape, const Real* x,
                   Real* reduced);

/// Adds g_p, column by column, to dx of the first row with the maximum. `scratch`: one row.
template <class Real>
void window_maxima_backward(const RowWindows& windows, const WindowColumns& shape, const Real* x,
                            const Real* reduced, const Real* gradient, Real* dx, Real* scratch);

}  // namespace fastformer::kernels

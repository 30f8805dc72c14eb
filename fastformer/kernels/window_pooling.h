#pragma once

#include <algorithm>
#include <cstdint>

/// Pooling of the rows of a sequence in windows (Zhang et al., Poolingformer, arXiv 2105.04371,
/// section 3.2): one row for each window, by weights or by maxima.
///
/// Matrices are row-major; a call works on `columns` columns that stand side by side in rows which
/// lie `stride` apart. Nothing is allocated; no call throws. `Real` is float or double.
namespace fastformer::kernels {

/// Window p covers rows p * step .. min(p * step + size, rows) - 1, always at least one.
struct PoolingWindows {
  std::int64_t rows, size, step;

  std::int64_t count() const { return (rows + step - 1) / step; }
  std::int64_t first(std::int64_t window) const { return window * step; }
  /// Rows of this window.
  std::int64_t covered(std::int64_t window) const { return std::min(size, rows - first(window)); }
};

/// Columns of rows that lie `stride` apart.
struct PooledColumns {
  std::int64_t columns, stride;
};

/// pooled_p = sum over its rows m of weights[p, m] x_m, with the weights of a window
/// `weights_stride` apart from those of the next. Rows of weight zero are not read.
template <class Real>
void pool_by_weights(const PoolingWindows& windows, const PooledColumns& shape, const Real* x,
                     const Real* weights, std::int64_t weights_stride, Real* pooled);

/// dx_m += weights[p, m] g_p, and where dweights is given, dweights[p, m] = g_p . x_m for the rows
/// of the windows.
template <class Real>
void pool_by_weights_backward(const PoolingWindows& windows, const PooledColumns& shape,
                              const Real* x, const Real* weights, std::int64_t weights_stride,
                              const Real* gradient, Real* dx, Real* dweights);

/// pooled_p = the element-wise maximum of its rows; what is not a number counts as the largest.
template <class Real>
void pool_maxima(const PoolingWindows& windows, const PooledColumns& shape, const Real* x,
                 Real* pooled);

/// dx of the first row that holds the maximum += g_p, column by column. `scratch`: one row.
template <class Real>
void pool_maxima_backward(const PoolingWindows& windows, const PooledColumns& shape, const Real* x,
                          const Real* pooled, const Real* gradient, Real* dx, Real* scratch);

}  // namespace fastformer::kernels

#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "fastformer/nn/offsets.h"

/// Pooling of each sequence in windows, differentiable, on `kernels/window_pooling.h`: window p of
/// n rows covers p * step .. min(p * step + size, n) - 1, for p < ceil(n / step). R is the number
/// of windows of a batch. All throw c10::Error when shapes or types disagree.
namespace fastformer::nn {

struct WindowShape {
  std::int64_t size, step;
};

/// Where the windows of each sequence lie among the R of the batch: [B + 1].
std::vector<std::int64_t> window_offsets(const Offsets& offsets, const WindowShape& shape);

/// Weights [R, size] by which windows take the mean of their rows, and those by which they take
/// their middle row, or the last where they are cut before it.
at::Tensor mean_weights(const Offsets& offsets, const WindowShape& shape,
                        const at::TensorOptions& options);
at::Tensor centre_weights(const Offsets& offsets, const WindowShape& shape,
                          const at::TensorOptions& options);

/// What `pool_windows` gives.
struct PooledWindows {
  at::Tensor rows;  ///< [R, d]
  /// The input again, for whatever reads it next; see `PooledRows`.
  at::Tensor input;
};

/// x [T, d] by weights [R, h size], whose part of a window for head t weights the columns
/// t d / h .. (t + 1) d / h of its rows; the weights past the end of a sequence do not count.
PooledWindows pool_windows(const at::Tensor& x, const at::Tensor& weights, std::int64_t heads,
                           const Offsets& offsets, const WindowShape& shape);

/// The element-wise maxima [R, d]; the gradient goes to the first of equal ones.
at::Tensor pool_window_maxima(const at::Tensor& x, const Offsets& offsets,
                              const WindowShape& shape);

}  // namespace fastformer::nn

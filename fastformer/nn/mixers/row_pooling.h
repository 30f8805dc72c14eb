#pragma once

#include <ATen/ATen.h>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// The result of `pool_rows`.
struct PooledRows {
  at::Tensor vectors;  ///< [B, h, d]
  /// x again, for the next operation that reads it: the gradient then passes through this
  /// operation, which adds its own part in place. If several operations read x directly, autograd
  /// creates and adds a gradient [T, d] for each.
  at::Tensor rows;
  at::Tensor statistics;  ///< [B, 2, h], see kernels/row_pooling.h; not differentiable
};

/// Each head pools whole rows of each sequence, weighted by the softmax of their products with its
/// query: x [T, d], queries [1 or B, h, d] -> [B, h, d]. If the first dimension of `queries` is 1,
/// all sequences use the same queries. Runs on `kernels/row_pooling.h`. A long sequence is divided
/// into blocks, so that all threads work on it; the blocks and every bit of the result depend only
/// on the lengths. Stores x and [B, h, d] for the backward pass. Float or double; throws c10::Error
/// if shapes or types disagree.
PooledRows pool_rows(const at::Tensor& x, const at::Tensor& queries, const Offsets& offsets);

/// The weights [T, h] with which pool_rows() pooled the rows, for explanations; not differentiable.
at::Tensor pooling_weights(const at::Tensor& queries, const PooledRows& pooled,
                           const Offsets& offsets);

}  // namespace fastformer::nn

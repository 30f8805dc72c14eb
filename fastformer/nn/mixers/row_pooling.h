#pragma once

#include <ATen/ATen.h>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// The result of `pool_rows`.
struct PooledRows {
  at::Tensor vectors;  ///< [B, h, d]
  /// x, for the next operation that reads it: its gradient passes through this operation, which
  /// adds its own part in place. If several operations read x itself, autograd forms and adds one
  /// gradient [T, d] for each.
  at::Tensor rows;
  at::Tensor statistics;  ///< [B, 2, h], see kernels/row_pooling.h; not differentiable
};

/// Every head pools whole rows of each sequence, weighted by the softmax of their products with its
/// query: x [T, d], queries [1 or B, h, d] -> [B, h, d], on the kernels of `kernels/row_pooling.h`.
/// One set of queries serves all sequences when the first dimension is 1. A long sequence is cut
/// into blocks, so that all threads work on it; the blocks and every bit of the result depend only
/// on the lengths. Keeps x and [B, h, d] for the backward pass. Float or double; throws c10::Error
/// if shapes or types disagree.
PooledRows pool_rows(const at::Tensor& x, const at::Tensor& queries, const Offsets& offsets);

/// The weights [T, h] by which these rows were pooled, for explanations; not differentiable.
at::Tensor pooling_weights(const at::Tensor& queries, const PooledRows& pooled,
                           const Offsets& offsets);

}  // namespace fastformer::nn

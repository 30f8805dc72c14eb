#pragma once

#include <ATen/ATen.h>

#include "fastformer/nn/offsets.h"

/// Differentiable operations on ragged batches, on the kernels of `kernels/segment_pooling.h`.
/// All throw c10::Error when shapes or types disagree. Tensors are float or double, on the CPU.
namespace fastformer::nn {

/// What a pooling gives: the pooled vectors, and the weight of each token for explanations.
struct Pooled {
  at::Tensor vectors;
  at::Tensor weights;  ///< [T, h], each column sums to 1 within a sequence; not differentiable
};

/// x [T, d], logits [T, h] -> vectors [B, d]; head h pools its own d / h columns.
Pooled pool_own_columns(const at::Tensor& x, const at::Tensor& logits, const Offsets& offsets);

/// x [T, d], queries [1 or B, h, d] -> vectors [B, h, d] with logits x . query: every head pools
/// whole rows. One set of queries serves all sequences when the first dimension is 1.
Pooled pool_rows(const at::Tensor& x, const at::Tensor& queries, const Offsets& offsets);

/// vectors [B, d] -> [T, d]: the row of a sequence for each of its tokens.
at::Tensor expand_rows(const at::Tensor& vectors, const Offsets& offsets);

}  // namespace fastformer::nn

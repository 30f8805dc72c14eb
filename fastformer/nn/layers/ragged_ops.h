#pragma once

#include <ATen/ATen.h>

#include "fastformer/nn/offsets.h"

/// Differentiable operations on ragged batches. All throw c10::Error if shapes or types disagree.
/// Tensors are float or double, on the CPU.
namespace fastformer::nn {

/// vectors [B, d] -> [T, d]: the row of a sequence for each of its tokens.
at::Tensor expand_rows(const at::Tensor& vectors, const Offsets& offsets);

/// [F]: the first row of each sequence that has any.
at::Tensor first_rows(const Offsets& offsets);

/// x [T, d] -> [T, d]: for each row the one before it in its sequence, zeros for the first.
at::Tensor previous_rows(const at::Tensor& x, const Offsets& offsets);

}  // namespace fastformer::nn

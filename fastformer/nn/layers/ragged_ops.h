#pragma once

#include <ATen/ATen.h>

#include "fastformer/nn/offsets.h"

/// Differentiable operations on ragged batches. All throw c10::Error if shapes or types disagree.
/// Tensors are float or double, on the CPU.
namespace fastformer::nn {

/// vectors [B, d] -> [T, d]: repeats the vector of each sequence for each of its tokens.
at::Tensor expand_rows(const at::Tensor& vectors, const Offsets& offsets);

/// The index of the first row of each nonempty sequence, [F].
at::Tensor first_rows(const Offsets& offsets);

/// x [T, d] -> [T, d]: each row becomes the previous row of its sequence, the first row zeros.
at::Tensor previous_rows(const at::Tensor& x, const Offsets& offsets);

}  // namespace fastformer::nn

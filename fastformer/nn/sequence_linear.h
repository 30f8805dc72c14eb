#pragma once

#include <ATen/ATen.h>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// A linear layer with parameters of its own for every sequence:
///   y_i = M_b x_i + c_b for the rows i of sequence b
/// x [T, d], matrices [B, e, d], constants [B, e] -> [T, e]. Float or double; throws c10::Error
/// when shapes disagree.
at::Tensor sequence_linear(const at::Tensor& x, const at::Tensor& matrices,
                           const at::Tensor& constants, const Offsets& offsets);

}  // namespace fastformer::nn

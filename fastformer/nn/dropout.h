#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace fastformer::nn {

/// x with a share `rate` of its numbers set to zero and the others divided by 1 - rate, added to
/// `residual` where that is defined. What is dropped depends on one draw from ATen's generator, on
/// no number of threads, and is not kept for the backward pass. Float or double; throws c10::Error
/// when shapes or types disagree.
at::Tensor dropout_add(const at::Tensor& x, const at::Tensor& residual, double rate);

/// One draw from ATen's generator, for a rule of `kernels/dropout.h`.
std::int64_t dropout_seed();

/// Without a residual.
inline at::Tensor dropout(const at::Tensor& x, double rate) {
  return dropout_add(x, at::Tensor(), rate);
}

}  // namespace fastformer::nn

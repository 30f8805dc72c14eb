#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// Sets a fraction `rate` of the elements of x to zero, divides the others by 1 - rate, and adds
/// `residual` if it is defined. The dropped elements depend on one draw from LibTorch's default
/// generator, not on the number of threads, and no mask is stored for the backward pass. Float or
/// double; throws c10::Error if shapes or types disagree.
at::Tensor dropout_add(const at::Tensor& x, const at::Tensor& residual, double rate);

/// Draws a seed for kernels::DropoutRule from LibTorch's default generator.
std::int64_t dropout_seed();

/// The same without a residual.
inline at::Tensor dropout(const at::Tensor& x, double rate) {
  return dropout_add(x, at::Tensor(), rate);
}

/// The tokens that `drop_tokens` kept, as a ragged batch.
struct KeptTokens {
  at::Tensor rows;                    ///< [T', d]
  std::vector<std::int64_t> offsets;  ///< [B+1]
};

/// Drops each token with probability `rate`; if this drops all tokens of a sequence, its first
/// token is kept. Later layers do no work for dropped tokens. Draws from LibTorch's default
/// generator.
KeptTokens drop_tokens(const at::Tensor& x, const Offsets& offsets, double rate);

}  // namespace fastformer::nn

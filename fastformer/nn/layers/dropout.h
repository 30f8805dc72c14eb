#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// x with a share `rate` of its numbers set to zero and the others divided by 1 - rate, added to
/// `residual` if that is defined. The dropped elements depend on one draw from LibTorch's default
/// generator, not on the number of threads, and no mask is kept for the backward pass. Float or
/// double; throws c10::Error if shapes or types disagree.
at::Tensor dropout_add(const at::Tensor& x, const at::Tensor& residual, double rate);

/// One draw from LibTorch's default generator, for a rule of `kernels/dropout.h`.
std::int64_t dropout_seed();

/// Without a residual.
inline at::Tensor dropout(const at::Tensor& x, double rate) {
  return dropout_add(x, at::Tensor(), rate);
}

/// The tokens that `drop_tokens` kept, still without padding.
struct KeptTokens {
  at::Tensor rows;                    ///< [T', d]
  std::vector<std::int64_t> offsets;  ///< [B+1]
};

/// Drops each token with probability `rate`; a sequence that had tokens keeps at least its first.
/// Without padding, later layers do no work for a dropped token. Draws from LibTorch's default
/// generator.
KeptTokens drop_tokens(const at::Tensor& x, const Offsets& offsets, double rate);

}  // namespace fastformer::nn

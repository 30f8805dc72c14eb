#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// The tokens that a dropout kept, still without padding.
struct KeptTokens {
  at::Tensor rows;                    ///< [T', d]
  std::vector<std::int64_t> offsets;  ///< [B+1]
};

/// Takes each token out of its sequence with probability `rate`; a sequence that had tokens keeps
/// at least its first. Without padding a dropped token costs nothing further on. Draws from
/// LibTorch's default generator.
KeptTokens drop_tokens(const at::Tensor& x, const Offsets& offsets, double rate);

}  // namespace fastformer::nn

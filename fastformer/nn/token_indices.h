#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <string>

#include "fastformer/nn/offsets.h"

/// Which rows of its tables an embedding reads for a batch, as int64 tensors.
namespace fastformer::nn {

/// The ids [T]. Throws std::invalid_argument for one outside a vocabulary of `size` tokens.
at::Tensor token_indices(std::span<const std::int32_t> ids, std::int64_t size);

/// The place of each token in its sequence, from 0: [T]. Throws std::invalid_argument for a
/// sequence longer than `limit`; `advice` says what to do then.
at::Tensor position_indices(const Offsets& offsets, std::int64_t limit, const std::string& advice);

/// The numbers of `indices`, each once and in rising order.
at::Tensor sorted_unique(const at::Tensor& indices);

/// Rows of a table of tokens that a batch touches, each once and in rising order.
at::Tensor touched_tokens(std::span<const std::int32_t> ids);

/// The same of a table of `limit` positions.
at::Tensor touched_positions(const Offsets& offsets, std::int64_t limit);

}  // namespace fastformer::nn

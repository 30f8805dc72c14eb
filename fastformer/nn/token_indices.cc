#include "fastformer/nn/token_indices.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace fastformer::nn {
namespace {

at::Tensor to_tensor(std::span<const std::int32_t> ids) {
  auto tensor = at::empty({static_cast<std::int64_t>(ids.size())}, at::kLong);
  std::copy(ids.begin(), ids.end(), tensor.mutable_data_ptr<std::int64_t>());
  return tensor;
}

}  // namespace

at::Tensor token_indices(std::span<const std::int32_t> ids, std::int64_t size) {
  for (const auto id : ids) {
    if (id < 0 || id >= size) {
      throw std::invalid_argument("the token id " + std::to_string(id) +
                                  " lies outside the vocabulary of " + std::to_string(size) +
                                  " tokens; use the tokenizer that was saved with the model");
    }
  }
  return to_tensor(ids);
}

at::Tensor position_indices(const Offsets& offsets, std::int64_t limit, const std::string& advice) {
  auto positions = at::empty({offsets.total()}, at::kLong);
  auto* out = positions.mutable_data_ptr<std::int64_t>();
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    if (offsets.length(b) > limit) {
      throw std::invalid_argument("a document of " + std::to_string(offsets.length(b)) +
                                  " tokens is longer than the " + std::to_string(limit) +
                                  " positions of the model; " + advice);
    }
    for (std::int64_t i = 0; i < offsets.length(b); ++i) out[offsets.begin_of(b) + i] = i;
  }
  return positions;
}

at::Tensor sorted_unique(const at::Tensor& indices) {
  const auto* first = indices.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> rows(first, first + indices.numel());
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return at::tensor(rows, at::kLong);
}

at::Tensor touched_tokens(std::span<const std::int32_t> ids) {
  return sorted_unique(to_tensor(ids));
}

at::Tensor touched_positions(const Offsets& offsets, std::int64_t limit) {
  std::int64_t longest = 0;
  for (std::int64_t b = 0; b < offsets.size(); ++b) longest = std::max(longest, offsets.length(b));
  return at::arange(std::min(longest, limit), at::kLong);
}

}  // namespace fastformer::nn

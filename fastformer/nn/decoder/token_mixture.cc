#include "fastformer/nn/decoder/token_mixture.h"

#include <algorithm>

namespace fastformer::nn {

DistinctTokens::DistinctTokens(std::span<const std::int32_t> ids, const Offsets& offsets)
    : token_offsets_({0}), offsets_(offsets.copy()) {
  slots_.reserve(ids.size());
  for (std::int64_t b = 0; b < offsets.size(); ++b) {
    const auto document = ids.subspan(offsets.begin_of(b), offsets.length(b));
    const auto first = static_cast<std::ptrdiff_t>(tokens_.size());
    tokens_.insert(tokens_.end(), document.begin(), document.end());
    std::sort(tokens_.begin() + first, tokens_.end());
    tokens_.erase(std::unique(tokens_.begin() + first, tokens_.end()), tokens_.end());
    for (const auto id : document) {
      const auto place = std::lower_bound(tokens_.begin() + first, tokens_.end(), id);
      slots_.push_back(static_cast<std::int32_t>(place - tokens_.begin() - first));
    }
    token_offsets_.push_back(static_cast<std::int64_t>(tokens_.size()));
  }
}

std::span<const std::int32_t> DistinctTokens::tokens(std::int64_t document) const {
  const auto first = token_offsets_[document];
  return std::span(tokens_).subspan(first, token_offsets_[document + 1] - first);
}

std::span<const std::int32_t> DistinctTokens::slots(std::int64_t document) const {
  const auto first = offsets_[document];
  return std::span(slots_).subspan(first, offsets_[document + 1] - first);
}

}  // namespace fastformer::nn

#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/tasks/search_config.h"
#include "fastformer/tasks/sequence_model.h"

namespace fastformer::tasks {

/// Which tokens may follow a text: not the banned ones, not the end while it has fewer than
/// `min_tokens`, and none that would repeat one of its n-grams of `blocked_ngram` tokens (Paulus et
/// al., arXiv 1705.04304, section 2.5). The n-grams include the token that begins the text.
class TokenRules {
 public:
  /// Throws std::invalid_argument when `config` does not validate.
  TokenRules(const SearchConfig& config, SearchTokens tokens);

  /// `texts` [H], each with the token that begins it; log_p [H, V], in which what must not follow
  /// becomes -infinity.
  void apply(std::span<const std::vector<std::int32_t>* const> texts,
             const at::Tensor& log_p) const;

 private:
  std::vector<std::int32_t> refused(const std::vector<std::int32_t>& text) const;

  SearchConfig config_;
  SearchTokens tokens_;
};

}  // namespace fastformer::tasks

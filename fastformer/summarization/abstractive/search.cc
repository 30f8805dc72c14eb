#include "fastformer/summarization/abstractive/search.h"

#include <ATen/Dispatch.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace fastformer::summarization {

TokenRules::TokenRules(const SearchConfig& config, SearchTokens tokens)
    : config_(config), tokens_(std::move(tokens)) {
  config.validate();
}

std::vector<std::int32_t> TokenRules::refused(const std::vector<std::int32_t>& text) const {
  auto tokens = tokens_.banned;
  const auto length = static_cast<std::int64_t>(text.size());
  if (length - 1 < config_.min_tokens) tokens.push_back(tokens_.end);
  const auto n = config_.blocked_ngram;
  if (n == 0) return tokens;
  const auto tail = text.end() - std::min(n - 1, length);  // tokens that would complete an n-gram
  for (std::int64_t i = 0; i + n <= length; ++i) {
    if (std::equal(tail, text.end(), text.begin() + i)) tokens.push_back(text[i + n - 1]);
  }
  return tokens;
}

void TokenRules::apply(std::span<const std::vector<std::int32_t>* const> texts,
                       const at::Tensor& log_p) const {
  AT_DISPATCH_FLOATING_TYPES(log_p.scalar_type(), "token_rules", [&] {
    auto* row = log_p.mutable_data_ptr<scalar_t>();
    for (const auto* text : texts) {
      for (const auto token : refused(*text)) {
        row[token] = -std::numeric_limits<scalar_t>::infinity();
      }
      row += log_p.size(1);
    }
  });
}

}  // namespace fastformer::summarization

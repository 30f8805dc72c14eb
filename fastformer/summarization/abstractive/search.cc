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
  if (config_.blocked_ngram > 0) refuse_repetitions(text, tokens);
  return tokens;
}

bool TokenRules::begins_word(std::int32_t token) const {
  return tokens_.continues.empty() || !tokens_.continues[static_cast<std::size_t>(token)];
}

void TokenRules::refuse_repetitions(const std::vector<std::int32_t>& text,
                                    std::vector<std::int32_t>& refused) const {
  std::vector<std::size_t> words;  // where they begin, and the end
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 0 || begins_word(text[i])) words.push_back(i);
  }
  words.push_back(text.size());
  const auto n = static_cast<std::size_t>(config_.blocked_ngram);
  for (std::size_t word = 0; word + n < words.size(); ++word) {
    const auto first = words[word], last = words[word + n] - 1, before = last - first;
    const auto tail = text.size() - before;  // what would be repeated, but for the next token
    const bool from_a_word = std::binary_search(words.begin(), words.end(), tail);
    const auto tokens = std::span(text);
    if (from_a_word && std::ranges::equal(tokens.subspan(first, before), tokens.subspan(tail)) &&
        std::ranges::find(tokens_.repeatable, text[last]) == tokens_.repeatable.end()) {
      refused.push_back(text[last]);
    }
  }
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

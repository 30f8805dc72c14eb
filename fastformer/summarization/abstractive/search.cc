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
  if (config_.blocked_ngram == 0) return tokens;
  std::vector<std::size_t> words, parts;  // where words begin, and the parts of the last word
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 0 || begins_word(text[i])) words.push_back(i);
  }
  for (std::size_t i = words.empty() ? 0 : words.back(); i < text.size(); ++i) parts.push_back(i);
  words.push_back(text.size());
  parts.push_back(text.size());
  refuse_repetitions(text, words, tokens);
  if (parts.size() > 2) refuse_repetitions(text, parts, tokens);
  return tokens;
}

bool TokenRules::begins_word(std::int32_t token) const {
  return tokens_.continues.empty() || !tokens_.continues[static_cast<std::size_t>(token)];
}

// `words`: where they begin, and the end.
void TokenRules::refuse_repetitions(std::span<const std::int32_t> text,
                                    std::span<const std::size_t> words,
                                    std::vector<std::int32_t>& refused) const {
  const auto n = static_cast<std::size_t>(config_.blocked_ngram);
  for (std::size_t word = 0; word + n < words.size(); ++word) {
    const auto first = words[word], end = words[word + n], before = end - 1 - first;
    const auto tail = text.size() - before;  // what would be repeated, but for the next token
    if (!std::ranges::binary_search(words, tail)) continue;
    if (!std::ranges::equal(text.subspan(first, before), text.subspan(tail))) continue;
    const auto last = text.subspan(words[word + n - 1], end - words[word + n - 1]);
    const bool repeatable = std::ranges::any_of(
        tokens_.repeatable, [&](const auto& listed) { return std::ranges::equal(listed, last); });
    if (!repeatable) refused.push_back(text[end - 1]);
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

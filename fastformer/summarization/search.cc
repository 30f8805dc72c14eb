#include "fastformer/summarization/search.h"

#include <ATen/Dispatch.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace fastformer::summarization {

void SearchConfig::visit_fields(base::FieldVisitor& visit) {
  visit("method", method, "search method");
  visit("beams", beams, "number of hypotheses in the beam search", base::between(1, 1024));
  visit("length_penalty", length_penalty,
        "beam search divides the log-probability of a summary by its length to this power",
        base::between(-10, 10));
  visit("min_tokens", min_tokens, "minimum number of tokens of a summary",
        base::between(0, 1 << 20));
  visit("max_tokens", max_tokens, "maximum number of tokens of a summary, including its end token",
        base::between(1, 1 << 20));
  visit("blocked_ngram", blocked_ngram,
        "no n-gram of this many tokens occurs twice in a summary; 0: no limit",
        base::between(0, 1024));
  visit("temperature", temperature,
        "sampling temperature; below 1, likely tokens become even likelier",
        base::between(0.01, 100));
  visit("top_p", top_p,
        "sample only from the most probable tokens whose probabilities add up to this",
        base::between(0.001, 1));
  visit("seed", seed, "sampling seed", base::at_least(0));
}

void SearchConfig::validate() const {
  if (min_tokens >= max_tokens) {
    throw std::invalid_argument("search.min_tokens = " + std::to_string(min_tokens) +
                                " must be below search.max_tokens = " + std::to_string(max_tokens));
  }
}

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

#include "fastformer/summarization/abstractive/summary_writer.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "fastformer/summarization/abstractive/beam_search.h"
#include "fastformer/summarization/abstractive/token_sampling.h"

namespace fastformer::summarization {

WritingOptions writing_options(const text::Tokenizer& tokenizer, const SearchConfig& config) {
  WritingOptions options{.banned = {tokenizer.pad_id(), tokenizer.unknown_id()}};
  if (config.blocked_ngram == 0) return options;
  std::set<std::string> missing(config.repeatable.begin(), config.repeatable.end());
  for (std::int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    options.continues.push_back(tokenizer.continues_word(id));
    if (missing.empty()) continue;
    // As it stands behind a word: a comma of SentencePiece has no blank.
    const auto token = tokenizer.token(id);
    if (std::ranges::find(config.repeatable, token) == config.repeatable.end()) continue;
    options.repeatable.push_back({id});
    missing.erase(token);
  }
  for (const auto& word : config.repeatable) {
    std::vector<std::int32_t> ids;
    tokenizer.encode(word, ids);
    const bool known = !ids.empty() && std::ranges::find(ids, tokenizer.unknown_id()) == ids.end();
    if (known) {
      options.repeatable.push_back(std::move(ids));
    } else if (missing.contains(word)) {
      throw std::invalid_argument("search.repeatable: the vocabulary has no '" + word +
                                  "'; remove it");
    }
  }
  return options;
}

std::vector<std::vector<WrittenText>> write_summaries(const SummarizerModel& model,
                                                      std::span<const std::int32_t> ids,
                                                      const nn::Offsets& offsets,
                                                      SearchConfig config, WritingOptions options) {
  const auto positions = model.config().decoder.max_positions;
  if (positions > 0) config.max_tokens = std::min(config.max_tokens, positions);
  options.banned.push_back(model.vocabulary().begin);
  const SearchTokens tokens{model.vocabulary().begin, model.vocabulary().end,
                            std::move(options.banned), std::move(options.continues),
                            std::move(options.repeatable)};
  SummaryWriter writer(model, ids, offsets);
  if (config.method == SearchMethod::kBeam) return beam_search(writer, tokens, config);
  auto texts = config.method == SearchMethod::kGreedy
                   ? write_greedily(writer, tokens, config, options.sink)
                   : sample_texts(writer, tokens, config, options.numbers, options.sink);
  std::vector<std::vector<WrittenText>> result;
  for (auto& text : texts) result.push_back({std::move(text)});
  return result;
}

namespace {

// Of positions with equal weight, the first.
std::vector<TokenExplanation::Source> heaviest(std::span<const double> weights, std::size_t count) {
  std::vector<std::int64_t> order(weights.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = order.begin() + static_cast<std::ptrdiff_t>(std::min(count, weights.size()));
  std::partial_sort(order.begin(), kept, order.end(), [&](auto a, auto b) {
    return weights[a] != weights[b] ? weights[a] > weights[b] : a < b;
  });
  std::vector<TokenExplanation::Source> sources;
  for (auto at = order.begin(); at != kept; ++at) sources.push_back({*at, weights[*at]});
  return sources;
}

}  // namespace

std::vector<TokenExplanation> explain_summary(const SummarizerModel& model,
                                              std::span<const std::int32_t> ids,
                                              std::span<const std::int32_t> tokens,
                                              std::size_t sources) {
  std::vector<TokenExplanation> result;
  if (tokens.empty()) return result;
  const auto trace = model.trace(ids, tokens);
  const auto weights = trace.weights.to(at::kDouble).contiguous();
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    const std::span row(weights.const_data_ptr<double>() + t * ids.size(), ids.size());
    std::optional<double> copied;
    if (trace.gates.defined()) {
      copied = 1 - trace.gates[static_cast<std::int64_t>(t)].item<double>();
    }
    result.push_back({tokens[t], copied, heaviest(row, sources)});
  }
  return result;
}

}  // namespace fastformer::summarization

#include "fastformer/summarization/abstractive/token_sampling.h"

#include <ATen/Dispatch.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <span>
#include <utility>

#include "fastformer/summarization/abstractive/search.h"

namespace fastformer::summarization {
namespace {

constexpr std::int32_t kNone = -1;  // all tokens are forbidden

/// Chooses the next token of a document by its log-probabilities [V].
using Choice = std::function<std::int32_t(std::int64_t document, std::span<const double> log_p)>;

std::int32_t likeliest(std::span<const double> log_p) {
  const auto best = std::max_element(log_p.begin(), log_p.end());
  return std::isfinite(*best) ? static_cast<std::int32_t>(best - log_p.begin()) : kNone;
}

// The tokens of the nucleus with their weights, largest first.
std::vector<std::pair<double, std::int32_t>> nucleus(std::span<const double> log_p,
                                                     const SearchConfig& config) {
  const double most = *std::max_element(log_p.begin(), log_p.end());
  std::vector<std::pair<double, std::int32_t>> tokens;
  double total = 0;
  for (std::size_t w = 0; std::isfinite(most) && w < log_p.size(); ++w) {
    const double weight = std::exp((log_p[w] - most) / config.temperature);
    if (weight > 0) tokens.emplace_back(weight, static_cast<std::int32_t>(w));
    total += weight;
  }
  std::sort(tokens.begin(), tokens.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  double sum = 0;
  std::size_t kept = 0;
  while (kept < tokens.size() && sum < config.top_p * total) sum += tokens[kept++].first;
  tokens.resize(kept);
  return tokens;
}

std::int32_t draw(const std::vector<std::pair<double, std::int32_t>>& tokens,
                  std::mt19937_64& generator) {
  if (tokens.empty()) return kNone;
  double sum = 0;
  for (const auto& token : tokens) sum += token.first;
  // 53 random bits make a double below 1; the library's distributions differ between systems.
  auto left = static_cast<double>(generator() >> 11) * 0x1p-53 * sum;
  for (const auto& [weight, token] : tokens) {
    left -= weight;
    if (left < 0) return token;
  }
  return tokens.back().second;
}

class Writing {
 public:
  Writing(SequenceModel& model, const SearchTokens& tokens, const SearchConfig& config,
          const Choice& choice, const TokenSink& sink)
      : model_(model),
        tokens_(tokens),
        config_(config),
        choice_(choice),
        sink_(sink),
        rules_(config, tokens),
        results_(static_cast<std::size_t>(model.documents())),
        texts_(results_.size(), {tokens.begin}) {
    for (std::int64_t b = 0; b < model.documents(); ++b) running_.push_back(b);
  }

  std::vector<WrittenText> run() {
    while (!running_.empty()) step();
    for (std::size_t b = 0; b < results_.size(); ++b) {
      results_[b].tokens.assign(texts_[b].begin() + 1, texts_[b].end());
      results_[b].score = results_[b].log_probability;
    }
    return std::move(results_);
  }

 private:
  void step() {
    std::vector<std::int32_t> last;
    std::vector<const std::vector<std::int32_t>*> texts;
    for (const auto b : running_) {
      texts.push_back(&texts_[b]);
      last.push_back(texts_[b].back());
    }
    const auto log_p = model_.step(last).contiguous();
    rules_.apply(texts, log_p);
    const auto values = log_p.to(at::kDouble);
    const auto vocabulary = static_cast<std::size_t>(values.size(1));
    std::vector<std::int64_t> parents, running;
    for (std::size_t i = 0; i < running_.size(); ++i) {
      const std::span row(values.const_data_ptr<double>() + i * vocabulary, vocabulary);
      if (!extend(running_[i], row)) continue;
      parents.push_back(static_cast<std::int64_t>(i));
      running.push_back(running_[i]);
    }
    running_ = std::move(running);
    if (!running_.empty()) model_.select(parents);
  }

  // Whether the text continues.
  bool extend(std::int64_t b, std::span<const double> log_p) {
    const auto token = choice_(b, log_p);
    if (token == kNone) return false;
    auto& result = results_[b];
    result.log_probability += log_p[token];
    result.ended = token == tokens_.end;
    if (result.ended) return false;
    texts_[b].push_back(token);
    if (sink_) sink_(b, token);
    return static_cast<std::int64_t>(texts_[b].size()) <= config_.max_tokens;
  }

  SequenceModel& model_;
  const SearchTokens& tokens_;
  const SearchConfig& config_;
  const Choice& choice_;
  const TokenSink& sink_;
  TokenRules rules_;
  std::vector<WrittenText> results_;
  std::vector<std::vector<std::int32_t>> texts_;  // each with its begin token
  std::vector<std::int64_t> running_;             // documents
};

}  // namespace

std::vector<WrittenText> write_greedily(SequenceModel& model, const SearchTokens& tokens,
                                        const SearchConfig& config, const TokenSink& sink) {
  const Choice choice = [](std::int64_t, std::span<const double> log_p) {
    return likeliest(log_p);
  };
  return Writing(model, tokens, config, choice, sink).run();
}

std::vector<WrittenText> sample_texts(SequenceModel& model, const SearchTokens& tokens,
                                      const SearchConfig& config,
                                      std::span<const std::int64_t> numbers,
                                      const TokenSink& sink) {
  std::vector<std::mt19937_64> generators;
  for (std::int64_t b = 0; b < model.documents(); ++b) {
    std::seed_seq seed{config.seed, numbers.empty() ? b : numbers[b]};
    generators.emplace_back(seed);
  }
  const Choice choice = [&](std::int64_t document, std::span<const double> log_p) {
    return draw(nucleus(log_p, config), generators[document]);
  };
  return Writing(model, tokens, config, choice, sink).run();
}

}  // namespace fastformer::summarization

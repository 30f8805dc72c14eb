#include "fastformer/summarization/extractive/scored_document.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "fastformer/base/out_of_memory.h"
#include "fastformer/metrics/rouge/rouge_words.h"
#include "fastformer/summarization/extractive/document.h"
#include "fastformer/summarization/extractive/selection.h"

namespace fastformer::summarization {

std::vector<ScoredDocument> score_documents(const ExtractiveModel& model,
                                            const text::Tokenizer& tokenizer,
                                            std::span<const std::string_view> documents,
                                            const ScoringLimits& limits) {
  std::vector<ScoredDocument> scored;
  SentenceBatch batch;
  std::size_t first = 0;  // document of the batch
  const auto flush = [&] {
    if (!batch.kinds.empty()) {
      const auto scores = base::naming_memory([&] { return batch.documents.description(); },
                                              [&] { return model.scores(batch); });
      auto next = scores.begin();
      for (auto i = first; i < scored.size(); ++i) {
        const auto end = next + std::ssize(scored[i].sentences);
        scored[i].scores.assign(next, end);
        next = end;
      }
    }
    batch = {};
    first = scored.size();
  };
  for (const auto text : documents) {
    auto document = read_document(tokenizer, text, limits.document_tokens);
    if (batch.documents.tokens() + std::ssize(document.ids) > limits.batch_tokens) flush();
    batch.add(document);
    scored.push_back({std::move(document.sentences), {}, document.truncated});
  }
  flush();
  return scored;
}

double mean_loss(const ExtractiveModel& model, const PairCorpus& pairs) {
  const c10::NoGradGuard no_gradients;
  return mean_over(pairs, [&](std::span<const std::int64_t> rows) -> BatchLoss {
    const auto batch = gather_sentences(pairs, rows);
    if (batch.kinds.empty()) return {};
    const auto loss = base::naming_memory(
        [&] { return batch.documents.description(); },
        [&] { return model.loss(batch, /*soft_targets=*/0, /*training=*/false); });
    return {loss.item<double>(), std::ssize(batch.kinds)};
  });
}

std::string extract(const ScoredDocument& document, const SelectionConfig& config) {
  std::string text;
  for (const auto sentence : select_sentences(document.sentences, document.scores, config)) {
    if (!text.empty()) text += '\n';
    const std::array one = {sentence};
    text += joined(document.sentences, one);
  }
  return text;
}

Evaluation evaluate(const ExtractiveModel& model, const text::Tokenizer& tokenizer,
                    const SelectionConfig& selection, const PairCorpus& pairs,
                    std::span<const TextPair> texts, const ScoringLimits& limits) {
  const auto loss = mean_loss(model, pairs);
  std::vector<std::string_view> sources;
  for (const auto& pair : texts) sources.emplace_back(pair.source);
  std::vector<std::string> summaries;
  for (const auto& document : score_documents(model, tokenizer, sources, limits)) {
    summaries.push_back(extract(document, selection));
  }
  return evaluate_summaries(std::move(summaries), loss, texts);
}

SelectionScores selection_scores(std::span<const ScoredPair> pairs, const SelectionConfig& config) {
  SelectionScores sum;
  SummaryMeasures measures;
  for (const auto& pair : pairs) {
    auto& scorer = measures.for_reference(pair.reference).scorer;
    const auto rouge = scorer.score(extract(pair.document, config), pair.reference);
    sum.rouge_1 += rouge.rouge1.f;
    sum.rouge_2 += rouge.rouge2.f;
    sum.rouge_lsum += rouge.rouge_lsum.f;
  }
  const auto count = static_cast<double>(std::max<std::size_t>(pairs.size(), 1));
  return {sum.rouge_1 / count, sum.rouge_2 / count, sum.rouge_lsum / count};
}

namespace {

// Keeps the better of two configurations.
class Best {
 public:
  Best(std::span<const ScoredPair> pairs, const SelectionConfig& config)
      : pairs_(pairs), config_(config), score_(selection_scores(pairs, config).mean()) {}

  bool try_out(const SelectionConfig& config) {
    const auto score = selection_scores(pairs_, config).mean();
    if (score <= score_) return false;
    score_ = score;
    config_ = config;
    return true;
  }
  const SelectionConfig& config() const { return config_; }

 private:
  std::span<const ScoredPair> pairs_;
  SelectionConfig config_;
  double score_;
};

double mean_reference_words(std::span<const ScoredPair> pairs) {
  metrics::RougeWords words(/*stem=*/false, metrics::RougeTokens::kUnicode);
  double sum = 0;
  for (const auto& pair : pairs)
    sum += static_cast<double>(words.number(pair.reference).words.size());
  return sum / static_cast<double>(pairs.size());
}

}  // namespace

SelectionConfig tuned_selection(std::span<const ScoredPair> pairs, SelectionConfig config) {
  if (pairs.empty()) return config;
  const auto most_words = config.words;
  Best best(pairs, config);
  config.redundancy = Redundancy::kNone;
  int worse = 0;
  for (std::int64_t sentences = 1; worse < 3 && sentences < 1000;
       sentences += std::max<std::int64_t>(sentences / 5, 1)) {
    auto more = config;
    more.sentences = sentences;
    worse = best.try_out(more) ? 0 : worse + 1;
  }
  const auto length = mean_reference_words(pairs);
  const auto sentences = best.config().sentences;
  for (const double multiple : {0.75, 1.0, 1.125, 1.25, 1.5, 1.75, 2.0}) {
    const auto words = std::max<std::int64_t>(std::llround(multiple * length), 1);
    if (most_words > 0 && words > most_words) continue;
    for (const auto most : {sentences, sentences + 1, std::int64_t{0}}) {
      auto limited = best.config();
      limited.sentences = most;
      limited.words = words;
      best.try_out(limited);
    }
  }
  const auto plain = best.config();
  auto other = plain;
  other.redundancy = Redundancy::kTrigram;
  best.try_out(other);
  other.redundancy = Redundancy::kMmr;
  for (const double weight : {0.1, 0.2, 0.3, 0.5}) {
    other.mmr_weight = weight;
    best.try_out(other);
  }
  auto result = best.config();
  result.tune = false;
  return result;
}

}  // namespace fastformer::summarization

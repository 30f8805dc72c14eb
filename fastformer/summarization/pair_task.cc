#include "fastformer/summarization/pair_task.h"

#include <algorithm>
#include <utility>

namespace fastformer::summarization {

std::vector<TextPair> validation_sample(const PairCorpus& validation, const TextsOf& texts_of,
                                        std::int64_t count) {
  std::vector<TextPair> sample;
  if (validation.size() == 0) return sample;
  auto texts = texts_of(validation);
  const auto size = std::ssize(texts), taken = std::min(size, count);
  for (std::int64_t i = 0; i < taken; ++i) {
    sample.push_back(std::move(texts[static_cast<std::size_t>(i * size / taken)]));
  }
  return sample;
}

metrics::Scores validation_scores(const SummaryRow& row) {
  auto scores = rouge_scores(row);
  const double mean = (row.rouge_1 + row.rouge_2 + row.rouge_lsum) / 300;
  scores.insert(scores.begin(), {"rouge", mean});
  return scores;
}

}  // namespace fastformer::summarization

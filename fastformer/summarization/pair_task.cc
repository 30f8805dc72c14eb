#include "fastformer/summarization/pair_task.h"

#include <algorithm>
#include <utility>

#include "fastformer/base/random.h"

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

std::vector<train::PreparedPart> prepared_parts(const Dataset& dataset) {
  const auto part = [](const PairCorpus& corpus) {
    return base::mix64(corpus.source.checksum()) ^ corpus.target.checksum();
  };
  return {{"the vocabulary", dataset.tokenizer->checksum()},
          {"the training part", part(dataset.train)},
          {"the validation part", part(dataset.validation)},
          {"the test part", part(dataset.test)}};
}

metrics::Scores validation_scores(const SummaryRow& row) {
  auto scores = rouge_scores(row);
  const double mean = (row.rouge_1 + row.rouge_2 + row.rouge_lsum) / 3;
  scores.insert(scores.begin(), {"rouge", mean});
  return scores;
}

}  // namespace fastformer::summarization

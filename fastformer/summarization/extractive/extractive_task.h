#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/summarization/extractive/document.h"
#include "fastformer/summarization/extractive/extractive_model.h"
#include "fastformer/summarization/extractive/scored_document.h"
#include "fastformer/summarization/pair_task.h"

namespace fastformer::summarization {

/// Training of an extractive summarizer. The scores on the validation part are the loss (mean
/// cross-entropy per sentence in nats) and, on a sample of at most kSample documents, ROUGE of the
/// sentences that the recipe's [selection] chooses. After training, [selection] is tuned on that
/// sample.
class ExtractiveTask final : public PairTask<SentenceBatch> {
 public:
  static constexpr std::int64_t kSample = 1000;

  ExtractiveTask(const Recipe& recipe, Dataset dataset, std::optional<train::StartingModel> start,
                 const TextsOf& validation_texts);

  std::string title() const override { return "Extractive summarizer"; }
  const nn::ParameterMap& parameters() const override { return model_.parameters(); }
  std::set<std::string> row_sparse_parameters() const override {
    return model_.row_sparse_parameters();
  }
  std::int64_t tokens() const override { return batch().documents.tokens(); }
  std::vector<std::pair<std::string, at::Tensor>> touched_rows() const override {
    return model_.touched_rows(batch());
  }
  at::Tensor loss() const override {
    return model_.loss(batch(), recipe().soft_targets, /*training=*/true);
  }
  metrics::Scores validate() const override;
  train::TestReport test(const std::filesystem::path& folder) const override;
  void save_model(const std::filesystem::path& directory, const std::string& card) const override;

  /// The trained model; the task must not be used any more.
  ExtractiveContent take_content() &&;

 private:
  std::vector<ScoredPair> scored_sample() const;
  const SelectionConfig& selection() const;

  ExtractiveModel model_;
  std::vector<TextPair> sample_;                      ///< of the validation part
  mutable std::optional<SelectionConfig> selection_;  ///< tuned when it is first needed
};

}  // namespace fastformer::summarization

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/data/pair_dataset.h"
#include "fastformer/data/prefetcher.h"
#include "fastformer/tasks/summarizer.h"
#include "fastformer/train/training_task.h"

namespace fastformer::train {

/// Abstractive summarization, tasks::Summarizer on data::PairDataset. Its score on the validation
/// part is the loss (mean cross-entropy of a token in nats, without smoothing), on the test part
/// ROUGE too, of summaries written as the recipe's [search] says. The test part leaves test.json
/// and test_summaries.jsonl.
class SummarizationTask final : public TrainingTask {
 public:
  /// Throws as data::prepare_pairs() does.
  SummarizationTask(const Recipe& recipe, const std::filesystem::path& cache);

  std::string title() const override { return "Summarizer"; }
  std::string summary() const override { return dataset_.summary(); }

  const nn::ParameterMap& parameters() const override { return model_.parameters(); }
  std::set<std::string> row_sparse_parameters() const override {
    return model_.row_sparse_parameters();
  }
  std::vector<std::string> initialize() override;

  std::int64_t batches(std::int64_t epoch) const override;
  void begin_epoch(std::int64_t epoch, std::int64_t first_batch) override;
  void next_batch() override;
  std::int64_t tokens() const override;
  std::vector<std::pair<std::string, at::Tensor>> touched_rows() const override;
  at::Tensor loss() const override;

  tasks::Scores validate() const override;
  TestReport test(const std::filesystem::path& folder) const override;
  void save_model(const std::filesystem::path& directory, const std::string& card) const override;

 private:
  std::vector<std::vector<std::int64_t>> plan(std::int64_t epoch) const;

  Recipe recipe_;
  data::PairDataset dataset_;
  tasks::Summarizer model_;
  std::vector<std::vector<std::int64_t>> plan_;                // of the epoch
  std::unique_ptr<data::Prefetcher<data::PairBatch>> loader_;  // reads the plan: goes first
  std::optional<data::PairBatch> batch_;
};

}  // namespace fastformer::train

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fastformer/data/epoch_plan.h"
#include "fastformer/data/pair_dataset.h"
#include "fastformer/tasks/initial_vectors.h"
#include "fastformer/tasks/summarizer.h"
#include "fastformer/train/epoch_batches.h"
#include "fastformer/train/training_task.h"

namespace fastformer::train {

/// Abstractive summarization, tasks::Summarizer on data::PairDataset. Its score on the validation
/// part is the loss (mean cross-entropy of a token in nats, without smoothing), on the test part
/// ROUGE too, of summaries written as the recipe's [search] says. The test part leaves test.json,
/// test_summaries.jsonl and test_items.csv (the ROUGE of each document).
class SummarizationTask final : public TrainingTask {
 public:
  /// Throws as data::prepare_pairs() does.
  SummarizationTask(const Recipe& recipe, const std::filesystem::path& cache);
  /// See train::check_model().
  static void check_model(const Recipe& recipe);

  std::string title() const override { return "Summarizer"; }
  std::string summary() const override { return dataset_.summary(); }

  const nn::ParameterMap& parameters() const override { return model_.parameters(); }
  std::set<std::string> row_sparse_parameters() const override {
    return model_.row_sparse_parameters();
  }
  std::vector<std::string> initialize() override {
    return tasks::load_word_vectors(recipe_.train.word_vectors, *dataset_.tokenizer, parameters());
  }

  std::int64_t batches(std::int64_t epoch) const override { return plan_.count(epoch); }
  std::int64_t begin_epoch(std::int64_t epoch, std::int64_t first_batch) override;
  void next_batch() override { batches_.next(); }
  std::int64_t tokens() const override;
  std::vector<std::pair<std::string, at::Tensor>> touched_rows() const override;
  at::Tensor loss() const override;

  tasks::Scores validate() const override;
  TestReport test(const std::filesystem::path& folder) const override;
  void save_model(const std::filesystem::path& directory, const std::string& card) const override;

 private:
  Recipe recipe_;
  data::PairDataset dataset_;
  tasks::Summarizer model_;
  data::EpochPlan plan_;
  EpochBatches<data::PairBatch> batches_;  ///< last: it reads the data set
};

}  // namespace fastformer::train

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fastformer/data/dataset.h"
#include "fastformer/data/epoch_plan.h"
#include "fastformer/tasks/classification_loss.h"
#include "fastformer/tasks/initial_vectors.h"
#include "fastformer/tasks/text_classifier.h"
#include "fastformer/train/epoch_batches.h"
#include "fastformer/train/training_task.h"

namespace fastformer::train {

inline constexpr const char* kTestFile = "test.json";

/// Text classification, tasks::TextClassifier on data::Dataset. Scores: loss (mean cross-entropy in
/// nats), accuracy, macro_f1. The test part leaves test.json (see tasks::evaluation_json) and
/// test_predictions.csv (see TestPredictions).
class ClassificationTask final : public TrainingTask {
 public:
  /// Throws as data::prepare() does.
  ClassificationTask(const Recipe& recipe, const std::filesystem::path& cache);
  /// See train::check_model().
  static void check_model(const Recipe& recipe);

  std::string title() const override { return "Text classifier"; }
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
  std::int64_t tokens() const override { return batches_->tokens(); }
  std::vector<std::pair<std::string, at::Tensor>> touched_rows() const override {
    return model_.touched_rows(*batches_);
  }
  at::Tensor loss() const override;

  tasks::Scores validate() const override;
  TestReport test(const std::filesystem::path& folder) const override;
  void save_model(const std::filesystem::path& directory, const std::string& card) const override;

 private:
  Recipe recipe_;
  data::Dataset dataset_;
  tasks::TextClassifier model_;
  tasks::ClassificationLoss loss_;
  data::EpochPlan plan_;
  EpochBatches<data::RaggedBatch> batches_;  ///< last: it reads the data set
};

}  // namespace fastformer::train

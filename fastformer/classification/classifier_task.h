#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/classification/document_scores.h"
#include "fastformer/classification/evaluation.h"
#include "fastformer/classification/label_set_evaluation.h"
#include "fastformer/classification/pretrained/frozen_documents.h"
#include "fastformer/classification/start.h"
#include "fastformer/classification/training.h"
#include "fastformer/data/batch.h"
#include "fastformer/data/batch_plan.h"
#include "fastformer/data/batch_stream.h"
#include "fastformer/train/task.h"

namespace fastformer::classification {

/// Training of a classifier. It writes test.json (see evaluation_json) and test_predictions.csv
/// (metrics/item_results.h). With several labels per document it writes label_set_json() and
/// write_label_sets() to these files, and test_items.csv.
class ClassifierTask final : public train::Task {
 public:
  /// Where the data come from, and where results that several steps use are stored.
  struct Sources {
    std::filesystem::path cache = {};  ///< empty: in memory
    data::Notice notice = {};
    std::span<const Example> examples = {};  ///< those of the data set; empty: files
  };

  /// Throws std::invalid_argument if there is no training document.
  ClassifierTask(const Recipe& recipe, Dataset dataset, std::optional<Start> start,
                 const Sources& sources);

  std::string title() const override { return "Text classifier"; }
  std::string summary() const override { return dataset_.summary(); }
  std::vector<train::PreparedPart> prepared() const override;
  const nn::ParameterMap& parameters() const override { return model_.trained(); }
  std::set<std::string> row_sparse_parameters() const override {
    return model_.row_sparse_parameters();
  }
  double learning_rate_factor(const std::string& parameter) const override {
    return classification::learning_rate_factor(recipe_.model.pretrained, parameter);
  }
  std::vector<std::string> initialize() override;

  std::int64_t batches(std::int64_t epoch) const override { return plan_->batches(epoch); }
  std::int64_t begin_epoch(std::int64_t epoch, std::int64_t first_batch) override;
  void next_batch() override;
  std::int64_t tokens() const override { return batches_->texts.tokens(); }
  std::vector<std::pair<std::string, at::Tensor>> touched_rows() const override {
    return model_.touched_rows(batches_->texts);
  }
  at::Tensor loss() const override {
    return loss_of(model_.forward(batches_->texts, /*training=*/true, nullptr,
                                  frozen_.rows(batches_->documents)));
  }
  double backward(std::int64_t batches) const override;

  bool refits() const override { return recipe_.refit && dataset_.validation.size() > 0; }
  void begin_refit() override;

  double chance_loss() const override;
  metrics::Scores validate() const override;
  metrics::Scores validate_model() const override;
  train::TestReport test(const std::filesystem::path& folder) const override;
  void save_model(const std::filesystem::path& directory, const std::string& card) const override;

  /// The trained model; the task must not be used any more.
  ClassifierContent take_content() &&;

 private:
  struct Batch {
    data::TokenBatch texts, labels;
    std::vector<DocumentOfPart> documents;
  };
  using Loss = std::function<at::Tensor(const at::Tensor& logits, const data::TokenBatch& labels)>;
  // The linear members with a pool that the validation part has fitted, and with several labels per
  // document their thresholds.
  struct Fitted {
    std::optional<linear::LinearPart> linear;
    std::vector<double> thresholds;
  };

  /// The loss of the batch with these logits.
  at::Tensor loss_of(const at::Tensor& logits) const;
  void learn_from(std::vector<const LabelledCorpus*> parts);
  Batch gather(std::span<const std::int64_t> rows) const;
  ClassifierModel new_model(std::uint64_t seed) const;
  std::vector<std::int64_t> class_counts() const;
  std::int64_t labelled_documents() const;

  const Fitted& chosen() const;
  const Fitted& fitted() const;

  ScoredNetwork scored() const { return {model_, frozen_}; }
  Evaluation evaluate(const LabelledCorpus& documents, const linear::LinearPart* linear) const;
  LabelSetEvaluation evaluate_label_sets(const LabelledCorpus& documents,
                                         const linear::LinearPart* linear,
                                         const std::vector<double>& thresholds) const;
  train::TestReport test_label_sets(const std::filesystem::path& folder,
                                    const LabelSetEvaluation& evaluation) const;

  Recipe recipe_;
  std::optional<Start> start_;
  Dataset dataset_;
  ClassifierModel model_;
  std::uint64_t encoder_ = 0;                     // checksum of a pre-trained encoder at the start
  mutable FrozenDocuments frozen_;                // of model_
  mutable std::optional<TeacherScores> teacher_;  // with train.teacher
  bool refitting_ = false;
  std::vector<const LabelledCorpus*> parts_;  // what is learned: row after row, part after part
  std::optional<data::BatchPlan> plan_;       // of the rows of parts_
  Loss loss_;
  mutable std::optional<Fitted> chosen_, fitted_;  // see the functions of these names
  data::BatchStream<Batch> batches_;               // last: it reads the data set
};

}  // namespace fastformer::classification

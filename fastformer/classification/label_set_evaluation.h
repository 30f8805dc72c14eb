#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/data_config.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/classification/document_scores.h"
#include "fastformer/metrics/item_results.h"
#include "fastformer/metrics/label_sets.h"
#include "fastformer/metrics/scores.h"

namespace fastformer::classification {

/// The scores of a classifier on documents with any number of labels.
struct LabelSetEvaluation {
  /// What was measured on one document.
  struct Document {
    std::vector<std::int32_t> labels;     ///< ascending
    std::vector<std::int32_t> predicted;  ///< ascending
    std::vector<float> probabilities;     ///< of the predicted labels
    float loss = 0;                       ///< sum of the cross-entropies of all labels
    std::vector<double> metrics;          ///< metrics::document_metrics()
  };

  metrics::LabelSetScores totals;
  double loss = 0;  ///< mean over the documents of Document::loss, without smoothing or weights
  std::vector<Document> documents;
  std::vector<metrics::NamedScores> members;  ///< each member alone; empty for a network alone

  /// The loss and each of the metrics::label_set_metrics().
  metrics::Scores scores() const;
};

/// Collects an evaluation piece by piece, as Evaluator does.
class LabelSetEvaluator {
 public:
  /// `linear` may be null: the network alone. All must outlive the evaluator. The members alone
  /// predict the labels whose score is at least 0.
  LabelSetEvaluator(const ScoredNetwork& network, const linear::LinearPart* linear,
                    const std::vector<double>& thresholds);

  /// Runs the model over the documents, in batches of similar length.
  void add(const LabelledCorpus& documents);
  /// Throws std::invalid_argument if there was no document.
  LabelSetEvaluation result() const;

 private:
  struct Member {
    std::string name;
    metrics::LabelSetScores totals;
    double loss = 0;  ///< the sum
  };

  ScoredNetwork network_;
  const linear::LinearPart* linear_;
  const std::vector<double>& thresholds_;
  LabelSetEvaluation sums_;  ///< with the sum of the losses
  std::vector<Member> members_;
};

/// A readable table: precision, recall, F1 and support of each label, all metrics, and the scores
/// of each member.
std::string label_set_table(const LabelSetEvaluation& evaluation,
                            const std::vector<std::string>& labels);
/// The same as JSON: one key for each metric, loss, examples, labels ({label: {precision, recall,
/// f1, support}}), and members ({name: scores}) if there are several.
std::string label_set_json(const LabelSetEvaluation& evaluation,
                           const std::vector<std::string>& labels);

/// Writes what the model said about each of `documents`, which gave `evaluation`: a CSV file with
/// the columns row (in its source, from 1), labels, predicted and probabilities, where several are
/// joined as DataConfig::joined() does. Throws std::runtime_error when the disk refuses.
void write_label_sets(const std::filesystem::path& path, const LabelSetEvaluation& evaluation,
                      const LabelledCorpus& documents, const std::vector<std::string>& labels,
                      const DataConfig& config);

/// The scores of each of `documents`, which gave `evaluation`, for comparisons of two models. The
/// hash of tokens and labels names a document.
metrics::ItemScores item_scores(const LabelSetEvaluation& evaluation,
                                const LabelledCorpus& documents);

/// Writes the rows of `files`, which gave `evaluation`, whose labels were not exactly predicted: a
/// CSV file with the columns where, labels, predicted, missed, wrong, loss and text, the largest
/// losses first. Throws std::runtime_error when the disk refuses or the files changed.
void write_wrong_label_sets(const std::filesystem::path& path, const DataConfig& config,
                            const std::vector<std::string>& files,
                            const LabelSetEvaluation& evaluation,
                            const std::vector<std::string>& labels);

}  // namespace fastformer::classification

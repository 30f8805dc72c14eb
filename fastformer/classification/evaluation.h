#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/metrics/confusion_matrix.h"
#include "fastformer/metrics/scores.h"

namespace fastformer::classification {

/// The scores of a model on labelled documents.
struct Evaluation {
  metrics::ConfusionMatrix confusion;
  double loss = 0;  ///< mean cross-entropy in nats, without smoothing, weights or adjustment
  std::vector<std::int32_t> predicted;  ///< class of each document

  /// The loss and each of the metrics::class_metrics().
  metrics::Scores scores() const;
};

/// Collects an evaluation piece by piece.
///
///   Evaluator evaluator(model);
///   evaluator.add(dataset.test);
///   evaluator.result().confusion.accuracy();
class Evaluator {
 public:
  /// `model` must outlive the evaluator.
  explicit Evaluator(const ClassifierModel& model);

  /// Runs the model over the documents, in batches of similar length. Throws std::invalid_argument
  /// for a document without label.
  void add(const LabelledCorpus& documents);
  /// Throws std::invalid_argument if there was no document.
  Evaluation result() const;

 private:
  const ClassifierModel& model_;
  Evaluation sums_;  ///< of the losses, not their mean
};

/// A readable table: accuracy, macro-F1, and precision, recall, F1 and support of each class.
std::string evaluation_table(const Evaluation& evaluation, const std::vector<std::string>& labels);
/// The same and the confusion matrix as JSON: keys accuracy, macro_f1, loss, examples, classes
/// ({label: {precision, recall, f1, support}}), confusion ([label][predicted]), and one key for
/// each other metric.
std::string evaluation_json(const Evaluation& evaluation, const std::vector<std::string>& labels);

}  // namespace fastformer::classification

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/metrics/confusion_matrix.h"
#include "fastformer/metrics/scores.h"

namespace fastformer::classification {

/// How a model does on labelled documents.
struct Evaluation {
  metrics::ConfusionMatrix confusion;
  double loss = 0;  ///< mean cross-entropy in nats, without smoothing, weights or adjustment
  std::vector<std::int32_t> predicted;   ///< class of each document
  std::vector<float> probability;        ///< of that class
  std::vector<float> label_probability;  ///< of the class that is right

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
  /// Throws std::invalid_argument when there was no document.
  Evaluation result() const;

 private:
  const ClassifierModel& model_;
  Evaluation sums_;  ///< of the losses, not their mean
};

/// Accuracy, macro-F1 and a row of precision, recall, F1 and support for each class, for people; of
/// up to twenty classes the confusion matrix, and the classes that are never predicted.
std::string evaluation_table(const Evaluation& evaluation, const std::vector<std::string>& labels);
/// The same as JSON: keys accuracy, macro_f1, loss, examples, classes ({label: {precision, recall,
/// f1, support}}), confusion ({rows: "label", columns: "predicted", labels, counts: [label]
/// [predicted]}), and one for each other metric.
std::string evaluation_json(const Evaluation& evaluation, const std::vector<std::string>& labels);

/// The classes that documents have and no prediction is: "class 'b' is never predicted, ..."; empty
/// where there is none.
std::string never_predicted_notice(const Evaluation& evaluation,
                                   const std::vector<std::string>& labels);

}  // namespace fastformer::classification

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/classification/document_scores.h"
#include "fastformer/metrics/confusion_matrix.h"
#include "fastformer/metrics/scores.h"

namespace fastformer::classification {

/// The scores of a classifier on labelled documents.
struct Evaluation {
  metrics::ConfusionMatrix confusion;
  double loss = 0;  ///< mean cross-entropy in nats, without smoothing, weights or adjustment
  std::vector<std::int32_t> predicted;        ///< the predicted class of each document
  std::vector<float> probability;             ///< probability of that class
  std::vector<float> label_probability;       ///< probability of the true class
  double calibration_error = 0;               ///< see metrics/calibration.h
  std::vector<metrics::NamedScores> members;  ///< of each member; empty for a network alone

  /// The loss, followed by each of the metrics::class_metrics().
  metrics::Scores scores() const;
};

/// Evaluates a classifier piece by piece.
///
///   Evaluator evaluator(network);
///   evaluator.add(dataset.test);
///   evaluator.result().confusion.accuracy();
class Evaluator {
 public:
  /// `linear` may be null: only the network. Both must outlive the evaluator.
  explicit Evaluator(const ScoredNetwork& network, const linear::LinearPart* linear = nullptr);

  /// Runs the model on the documents in batches of similar length. Throws std::invalid_argument for
  /// a document without a label.
  void add(const LabelledCorpus& documents);
  /// Throws std::invalid_argument if no document was added.
  Evaluation result() const;

 private:
  struct Member {
    Member(std::string member, std::int64_t classes)
        : name(std::move(member)), confusion(classes) {}

    std::string name;
    metrics::ConfusionMatrix confusion;
    double loss = 0;  ///< sum over the documents
  };

  ScoredNetwork network_;
  const linear::LinearPart* linear_;
  Evaluation sums_;                  ///< its `loss` is the sum over the documents
  std::vector<std::uint8_t> right_;  ///< whether each prediction is right
  std::vector<Member> members_;
};

/// A text table: precision, recall, F1 and support of each class, the confusion matrix (for up to
/// twenty classes), the classes that are never predicted, all metrics, and the scores of each
/// member.
std::string evaluation_table(const Evaluation& evaluation, const std::vector<std::string>& labels);
/// The same as JSON with the keys accuracy, macro_f1, loss, calibration_error, examples, classes
/// ({label: {precision, recall, f1, support}}), confusion ({rows: "label", columns: "predicted",
/// labels, counts: [label][predicted]}), members ({name: scores}) if there are several, and one key
/// for each other metric.
std::string evaluation_json(const Evaluation& evaluation, const std::vector<std::string>& labels);

/// A row with precision, recall, F1 and support for each label, below a heading.
std::string class_table(const std::string& title, const std::vector<metrics::ClassMetrics>& classes,
                        const std::vector<std::string>& labels);

/// A notice about classes that occur as a label but never as a prediction: "class 'b' is never
/// predicted, ..."; empty if there are none.
std::string never_predicted_notice(const Evaluation& evaluation,
                                   const std::vector<std::string>& labels);

}  // namespace fastformer::classification

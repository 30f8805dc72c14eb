#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fastformer/metrics/confusion_matrix.h"

namespace fastformer::metrics {

/// Scores of a classifier that gives each document any number of labels.
///
///   LabelSetScores scores(/*labels=*/3);
///   scores.add({0, 2}, {0.9, 0.1, 0.4}, {0});  // labels, scores of all labels, predicted labels
///   scores.micro_f1();
///
/// The conventions are scikit-learn's with zero_division=0: the mean of macro_f1() is over all
/// labels, and the ranking of a document without labels, or with all of them, counts as perfect.
class LabelSetScores {
 public:
  /// Throws std::invalid_argument unless there is at least one label.
  explicit LabelSetScores(std::int64_t labels);

  /// One document: its labels and the predicted ones, both ascending, and the scores [labels] that
  /// rank the labels. Returns the document_metrics() of the document. Throws std::invalid_argument
  /// for a label that is not in [0, labels), and for another number of scores.
  std::vector<double> add(std::span<const std::int32_t> labels, std::span<const double> scores,
                          std::span<const std::int32_t> predicted);

  /// Number of documents added.
  std::int64_t total() const { return total_; }
  /// Labels of all documents, and predictions for them.
  std::int64_t labels_given() const;
  std::int64_t labels_predicted() const;

  /// F1 of all pairs of document and label.
  double micro_f1() const;
  /// Mean over the labels of their F1.
  double macro_f1() const;
  /// Mean over the documents of a row of document_metrics(); 0 before the first document.
  double document_mean(std::size_t metric) const;
  /// One entry for each label.
  std::vector<ClassMetrics> per_label() const;

 private:
  struct Counts {
    std::int64_t right = 0, predicted = 0, support = 0;
  };

  std::vector<Counts> counts_;         ///< [labels]
  std::vector<double> document_sums_;  ///< of each row of document_metrics()
  std::int64_t total_ = 0;
};

/// The scores of one document that LabelSetScores averages:
///   subset_accuracy            1 if exactly its labels are predicted, else 0
///   precision_at_1, _3, _5     share of its labels among the k labels with the highest scores (the
///                              first of equal ones; among all labels where there are fewer than k)
///   ranking_average_precision  mean over its labels of the share of its labels among those that
///                              are ranked as high (scikit-learn's LRAP)
const std::vector<std::string>& document_metrics();

/// A score of LabelSetScores.
struct LabelSetMetric {
  std::string name;   ///< "micro_f1"
  std::string title;  ///< "micro-F1"
  std::function<double(const LabelSetScores&)> value;
};

/// micro_f1, macro_f1 and the means of document_metrics().
const std::vector<LabelSetMetric>& label_set_metrics();

/// The probability from which a label is predicted, such that the F1 of these examples is largest:
/// half-way between two neighbouring probabilities. Of several the highest; 0.5 if no example has
/// the label. `probabilities` and `positive` [n].
double best_f1_threshold(std::span<const double> probabilities,
                         std::span<const std::uint8_t> positive);

}  // namespace fastformer::metrics

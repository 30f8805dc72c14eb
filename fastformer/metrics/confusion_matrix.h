#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace fastformer::metrics {

/// The scores of one class; a value is 0 if its denominator is 0.
struct ClassMetrics {
  double precision = 0;      ///< share of right predictions among those of this class
  double recall = 0;         ///< share of right predictions among examples of this class
  double f1 = 0;             ///< harmonic mean of precision and recall
  std::int64_t support = 0;  ///< number of examples whose label is the class
};

/// Counts of (label, prediction) pairs, and the scores that follow from them.
///
///   ConfusionMatrix confusion(4);
///   confusion.add(label, predicted);  // for every example
///   confusion.accuracy();
///   confusion.macro_f1();
///
/// As in scikit-learn: macro_f1() equals f1_score(average="macro", zero_division=0), the mean over
/// the classes that occur as a label or as a prediction, not over all classes.
class ConfusionMatrix {
 public:
  /// Throws std::invalid_argument if `classes` is below 1.
  explicit ConfusionMatrix(std::int64_t classes);

  /// From counts [classes, classes], one row per label. Throws std::invalid_argument if `counts`
  /// has another size.
  ConfusionMatrix(std::int64_t classes, std::vector<std::int64_t> counts);

  /// Throws std::invalid_argument if either is not in [0, classes).
  void add(std::int32_t label, std::int32_t predicted);

  std::int64_t classes() const { return classes_; }
  /// Number of examples added.
  std::int64_t total() const { return total_; }
  /// Number of examples of class `label` that were predicted as `predicted`.
  std::int64_t count(std::int32_t label, std::int32_t predicted) const;

  /// Share of right predictions; 0 before the first example.
  double accuracy() const;
  /// Mean F1 over the classes that occur; 0 before the first example.
  double macro_f1() const;
  /// One entry for every class, whether it occurs or not.
  std::vector<ClassMetrics> per_class() const;

 private:
  std::int64_t index(std::int32_t label, std::int32_t predicted) const;

  std::int64_t classes_;
  std::int64_t total_ = 0;
  std::vector<std::int64_t> counts_;  ///< [classes, classes], a row per label
};

/// A score computed from a confusion matrix: a row of the table in confusion_matrix.cc.
struct ClassMetric {
  std::string name;   ///< "macro_f1"
  std::string title;  ///< "macro-F1"
  std::function<double(const ConfusionMatrix&)> value;
};

/// accuracy, macro_f1, and the metrics that were registered.
const std::deque<ClassMetric>& class_metrics();
/// Adds a metric for all classifiers. Call it before other threads use the library. Throws
/// std::invalid_argument if the name is already in use.
///
///   metrics::register_class_metric({"error", "error", [](const metrics::ConfusionMatrix& matrix) {
///                                     return 1 - matrix.accuracy();
///                                   }});
void register_class_metric(ClassMetric metric);

}  // namespace fastformer::metrics

#include "fastformer/metrics/confusion_matrix.h"

#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "fastformer/base/registry.h"

namespace fastformer::metrics {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

void check_class(const char* what, std::int32_t value, std::int64_t classes) {
  if (value < 0 || value >= classes) {
    throw std::invalid_argument("ConfusionMatrix: the " + std::string(what) + " " +
                                std::to_string(value) + " is not one of the " +
                                std::to_string(classes) + " classes; expected 0 to " +
                                std::to_string(classes - 1));
  }
}

/// The counts for the scores of one class.
struct ClassCounts {
  std::int64_t correct = 0;
  std::int64_t labelled = 0;
  std::int64_t predicted = 0;
};

std::vector<ClassCounts> count_classes(const std::vector<std::int64_t>& counts,
                                       std::size_t classes) {
  std::vector<ClassCounts> result(classes);
  for (std::size_t label = 0; label < classes; ++label) {
    result[label].correct = counts[label * classes + label];
    for (std::size_t predicted = 0; predicted < classes; ++predicted) {
      const std::int64_t count = counts[label * classes + predicted];
      result[label].labelled += count;
      result[predicted].predicted += count;
    }
  }
  return result;
}

// 2 tp / (labelled + predicted) equals the harmonic mean and needs one division.
double f1(const ClassCounts& counts) {
  return ratio(2 * counts.correct, counts.labelled + counts.predicted);
}

base::Registry<ClassMetric>& table() {
  static base::Registry<ClassMetric> rows(
      "classification metric",
      {{"accuracy", "accuracy", [](const ConfusionMatrix& matrix) { return matrix.accuracy(); }},
       {"macro_f1", "macro-F1", [](const ConfusionMatrix& matrix) { return matrix.macro_f1(); }}});
  return rows;
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::int64_t classes) : classes_(classes) {
  if (classes < 1) {
    throw std::invalid_argument("ConfusionMatrix: got " + std::to_string(classes) +
                                " classes; at least 1 is needed");
  }
  counts_.resize(static_cast<std::size_t>(classes * classes));
}

ConfusionMatrix::ConfusionMatrix(std::int64_t classes, std::vector<std::int64_t> counts)
    : ConfusionMatrix(classes) {
  if (counts.size() != counts_.size()) {
    throw std::invalid_argument("ConfusionMatrix: got " + std::to_string(counts.size()) +
                                " counts; expected " + std::to_string(counts_.size()));
  }
  counts_ = std::move(counts);
  total_ = std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

std::int64_t ConfusionMatrix::index(std::int32_t label, std::int32_t predicted) const {
  check_class("label", label, classes_);
  check_class("prediction", predicted, classes_);
  return label * classes_ + predicted;
}

void ConfusionMatrix::add(std::int32_t label, std::int32_t predicted) {
  ++counts_[static_cast<std::size_t>(index(label, predicted))];
  ++total_;
}

std::int64_t ConfusionMatrix::count(std::int32_t label, std::int32_t predicted) const {
  return counts_[static_cast<std::size_t>(index(label, predicted))];
}

double ConfusionMatrix::accuracy() const {
  std::int64_t correct = 0;
  for (std::int64_t c = 0; c < classes_; ++c) {
    correct += counts_[static_cast<std::size_t>(c * classes_ + c)];
  }
  return ratio(correct, total_);
}

double ConfusionMatrix::macro_f1() const {
  double sum = 0;
  std::int64_t present = 0;
  for (const ClassCounts& counts : count_classes(counts_, static_cast<std::size_t>(classes_))) {
    if (counts.labelled + counts.predicted == 0) continue;
    sum += f1(counts);
    ++present;
  }
  return present == 0 ? 0.0 : sum / static_cast<double>(present);
}

std::vector<ClassMetrics> ConfusionMatrix::per_class() const {
  std::vector<ClassMetrics> result;
  for (const ClassCounts& counts : count_classes(counts_, static_cast<std::size_t>(classes_))) {
    result.push_back({.precision = ratio(counts.correct, counts.predicted),
                      .recall = ratio(counts.correct, counts.labelled),
                      .f1 = f1(counts),
                      .support = counts.labelled});
  }
  return result;
}

const std::deque<ClassMetric>& class_metrics() { return table().rows(); }
void register_class_metric(ClassMetric metric) { table().add(std::move(metric)); }

}  // namespace fastformer::metrics

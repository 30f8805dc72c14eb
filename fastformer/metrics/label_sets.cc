#include "fastformer/metrics/label_sets.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <stdexcept>

namespace fastformer::metrics {
namespace {

constexpr std::array<std::size_t, 3> kDepths = {1, 3, 5};

double ratio(double part, double whole) { return whole == 0 ? 0 : part / whole; }

// Share of the labels among the best `depth`.
double precision_at(std::size_t depth, const std::vector<std::int32_t>& ranked,
                    std::span<const std::int32_t> labels) {
  depth = std::min(depth, ranked.size());
  std::size_t right = 0;
  for (std::size_t i = 0; i < depth; ++i) {
    right += std::binary_search(labels.begin(), labels.end(), ranked[i]) ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(depth);
}

double ranking_average_precision(const std::vector<std::int32_t>& ranked,
                                 std::span<const double> scores,
                                 std::span<const std::int32_t> labels) {
  if (labels.empty() || labels.size() == scores.size()) return 1;
  double sum = 0;
  std::size_t found = 0;
  // Labels with equal scores share the rank of the last of them.
  for (std::size_t begin = 0; begin < ranked.size();) {
    const auto score = scores[static_cast<std::size_t>(ranked[begin])];
    std::size_t end = begin, right = 0;
    while (end < ranked.size() && scores[static_cast<std::size_t>(ranked[end])] == score) {
      right += std::binary_search(labels.begin(), labels.end(), ranked[end]) ? 1 : 0;
      ++end;
    }
    if (end == begin) ++end;  // not a number
    found += right;
    sum += static_cast<double>(right * found) / static_cast<double>(end);
    begin = end;
  }
  return sum / static_cast<double>(labels.size());
}

void check_labels(std::span<const std::int32_t> labels, std::size_t count) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool known = labels[i] >= 0 && static_cast<std::size_t>(labels[i]) < count;
    if (known && (i == 0 || labels[i - 1] < labels[i])) continue;
    throw std::invalid_argument("LabelSetScores: got label " + std::to_string(labels[i]) +
                                ", expected ascending labels from 0 to " +
                                std::to_string(count - 1));
  }
}

}  // namespace

LabelSetScores::LabelSetScores(std::int64_t labels) {
  if (labels < 1) throw std::invalid_argument("LabelSetScores: needs at least one label");
  counts_.resize(static_cast<std::size_t>(labels));
  document_sums_.resize(document_metrics().size());
}

std::vector<double> LabelSetScores::add(std::span<const std::int32_t> labels,
                                        std::span<const double> scores,
                                        std::span<const std::int32_t> predicted) {
  check_labels(labels, counts_.size());
  check_labels(predicted, counts_.size());
  if (scores.size() != counts_.size()) {
    throw std::invalid_argument("LabelSetScores: got " + std::to_string(scores.size()) +
                                " scores, expected one for each of " +
                                std::to_string(counts_.size()) + " labels");
  }
  for (const auto label : labels) ++counts_[static_cast<std::size_t>(label)].support;
  for (const auto label : predicted) {
    auto& counts = counts_[static_cast<std::size_t>(label)];
    ++counts.predicted;
    if (std::binary_search(labels.begin(), labels.end(), label)) ++counts.right;
  }
  std::vector<std::int32_t> ranked(scores.size());
  std::iota(ranked.begin(), ranked.end(), 0);
  std::stable_sort(ranked.begin(), ranked.end(), [&](auto a, auto b) {
    return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
  });
  std::vector<double> of_document = {std::ranges::equal(labels, predicted) ? 1.0 : 0.0};
  for (const auto depth : kDepths) of_document.push_back(precision_at(depth, ranked, labels));
  of_document.push_back(ranking_average_precision(ranked, scores, labels));
  for (std::size_t m = 0; m < of_document.size(); ++m) document_sums_[m] += of_document[m];
  ++total_;
  return of_document;
}

std::int64_t LabelSetScores::labels_given() const {
  std::int64_t sum = 0;
  for (const auto& counts : counts_) sum += counts.support;
  return sum;
}

std::int64_t LabelSetScores::labels_predicted() const {
  std::int64_t sum = 0;
  for (const auto& counts : counts_) sum += counts.predicted;
  return sum;
}

double LabelSetScores::micro_f1() const {
  std::int64_t right = 0;
  for (const auto& counts : counts_) right += counts.right;
  return ratio(2 * static_cast<double>(right),
               static_cast<double>(labels_given() + labels_predicted()));
}

double LabelSetScores::macro_f1() const {
  double sum = 0;
  for (const auto& label : per_label()) sum += label.f1;
  return sum / static_cast<double>(counts_.size());
}

double LabelSetScores::document_mean(std::size_t metric) const {
  return ratio(document_sums_.at(metric), static_cast<double>(total_));
}

std::vector<ClassMetrics> LabelSetScores::per_label() const {
  std::vector<ClassMetrics> result;
  for (const auto& counts : counts_) {
    const auto right = static_cast<double>(counts.right);
    const auto predicted = static_cast<double>(counts.predicted);
    const auto support = static_cast<double>(counts.support);
    result.push_back({.precision = ratio(right, predicted),
                      .recall = ratio(right, support),
                      .f1 = ratio(2 * right, predicted + support),
                      .support = counts.support});
  }
  return result;
}

const std::vector<std::string>& document_metrics() {
  static const std::vector<std::string> names = {"subset_accuracy", "precision_at_1",
                                                 "precision_at_3", "precision_at_5",
                                                 "ranking_average_precision"};
  return names;
}

const std::vector<LabelSetMetric>& label_set_metrics() {
  static const auto metrics = [] {
    std::vector<LabelSetMetric> rows = {{"micro_f1", "micro-F1", &LabelSetScores::micro_f1},
                                        {"macro_f1", "macro-F1", &LabelSetScores::macro_f1}};
    const std::array titles = {"subset accuracy", "P@1", "P@3", "P@5", "LRAP"};
    for (std::size_t m = 0; m < document_metrics().size(); ++m) {
      rows.push_back({document_metrics()[m], titles.at(m),
                      [m](const LabelSetScores& scores) { return scores.document_mean(m); }});
    }
    return rows;
  }();
  return metrics;
}

double best_f1_threshold(std::span<const double> probabilities,
                         std::span<const std::uint8_t> positive) {
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return probabilities[a] > probabilities[b]; });
  const auto all = static_cast<double>(std::count(positive.begin(), positive.end(), 1));
  double best = 0, threshold = 0.5, right = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    right += positive[order[i]] != 0 ? 1 : 0;
    const double here = probabilities[order[i]];
    const double next = i + 1 < order.size() ? probabilities[order[i + 1]] : 0;
    if (here == next) continue;
    const double f1 = 2 * right / (static_cast<double>(i + 1) + all);
    if (f1 <= best) continue;
    best = f1;
    const double middle = (here + next) / 2;
    threshold = middle > next ? middle : here;
  }
  return threshold;
}

}  // namespace fastformer::metrics

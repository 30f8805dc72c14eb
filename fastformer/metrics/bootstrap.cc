#include "fastformer/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "fastformer/base/random.h"
#include "fastformer/metrics/confusion_matrix.h"

namespace fastformer::metrics {
namespace {

using Predictions = std::vector<std::int32_t>;

// Uniform in [0, bound), two numbers from each draw of 64 bits (Lemire 2019): a table of results
// needs some hundred million of them.
class IndexDraw {
 public:
  IndexDraw(std::uint64_t seed, std::uint32_t bound)
      : random_(seed), bound_(bound), rejected_((0 - bound) % bound) {}

  std::uint32_t next() {
    while (true) {
      if (halves_ == 0) {
        bits_ = random_.next();
        halves_ = 2;
      }
      const std::uint64_t product = (bits_ & 0xFFFFFFFF) * bound_;
      bits_ >>= 32;
      --halves_;
      if (static_cast<std::uint32_t>(product) >= rejected_) {
        return static_cast<std::uint32_t>(product >> 32);
      }
    }
  }

 private:
  base::Random random_;
  std::uint64_t bits_ = 0, bound_;
  std::uint32_t rejected_;
  int halves_ = 0;
};

// One training of one system: the number label * classes + prediction of each document.
class Run {
 public:
  Run(const Predictions& labels, const Predictions& predicted, std::int64_t classes)
      : classes_(static_cast<std::size_t>(classes)) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      pairs_.push_back(static_cast<std::uint32_t>(labels[i] * classes + predicted[i]));
    }
  }

  /// By each of the class_metrics(), on documents that count `times` each.
  std::vector<double> score(const std::vector<std::uint32_t>& times) const {
    std::vector<std::int64_t> counts(classes_ * classes_);
    for (std::size_t i = 0; i < times.size(); ++i) counts[pairs_[i]] += times[i];
    const ConfusionMatrix confusion(static_cast<std::int64_t>(classes_), std::move(counts));
    std::vector<double> scores;
    for (const auto& metric : class_metrics()) scores.push_back(metric.value(confusion));
    return scores;
  }

 private:
  std::size_t classes_;
  std::vector<std::uint32_t> pairs_;
};

void check(const Predictions& labels, const std::vector<Predictions>& first,
           const std::vector<Predictions>& second, std::int64_t classes) {
  if (labels.empty() || first.empty() || first.size() != second.size()) {
    throw std::invalid_argument(
        "paired_bootstrap: got " + std::to_string(labels.size()) + " documents and " +
        std::to_string(first.size()) + " and " + std::to_string(second.size()) +
        " runs; expected at least one document, and the same number of runs of both systems");
  }
  const auto is_class = [&](std::int32_t c) { return c >= 0 && c < classes; };
  const auto check_list = [&](const Predictions& list) {
    if (list.size() != labels.size() || !std::all_of(list.begin(), list.end(), is_class)) {
      throw std::invalid_argument("paired_bootstrap: expected " + std::to_string(labels.size()) +
                                  " numbers from 0 to " + std::to_string(classes - 1) +
                                  " in the labels and in each run");
    }
  };
  check_list(labels);
  for (const auto* runs : {&first, &second}) {
    for (const auto& run : *runs) check_list(run);
  }
}

double quantile(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(
      std::lround(share * static_cast<double>(sorted.size() - 1)))];
}

ScoreDifference summarize(double difference, std::vector<double>& resampled) {
  std::sort(resampled.begin(), resampled.end());
  const auto count = static_cast<double>(resampled.size());
  // Scores that are equal by algebra differ by rounding, where they are means over runs.
  constexpr double kRounding = 1e-12;
  const auto at_most = static_cast<double>(
      std::upper_bound(resampled.begin(), resampled.end(), kRounding) - resampled.begin());
  const auto at_least = static_cast<double>(
      resampled.end() - std::lower_bound(resampled.begin(), resampled.end(), -kRounding));
  return {.difference = difference,
          .low = quantile(resampled, 0.025),
          .high = quantile(resampled, 0.975),
          .p = std::min(1.0, 2 * (1 + std::min(at_most, at_least)) / (1 + count))};
}

}  // namespace

SystemComparison paired_bootstrap(const std::vector<std::int32_t>& labels,
                                  const std::vector<std::vector<std::int32_t>>& first,
                                  const std::vector<std::vector<std::int32_t>>& second,
                                  const BootstrapOptions& options) {
  check(labels, first, second, options.classes);
  std::vector<std::pair<Run, Run>> runs;
  for (std::size_t r = 0; r < first.size(); ++r) {
    runs.emplace_back(Run(labels, first[r], options.classes),
                      Run(labels, second[r], options.classes));
  }
  const auto metric_count = class_metrics().size();
  const auto difference_on = [&](const std::vector<std::uint32_t>& times) {
    std::vector<double> difference(metric_count);
    for (const auto& [a, b] : runs) {
      const auto from = a.score(times), to = b.score(times);
      for (std::size_t m = 0; m < metric_count; ++m) difference[m] += to[m] - from[m];
    }
    for (auto& value : difference) value /= static_cast<double>(runs.size());
    return difference;
  };
  std::vector<std::uint32_t> times(labels.size(), 1);
  const auto observed = difference_on(times);
  IndexDraw draw(options.seed, static_cast<std::uint32_t>(labels.size()));
  std::vector<std::vector<double>> resampled(metric_count);
  for (std::int64_t i = 0; i < options.resamples; ++i) {
    std::fill(times.begin(), times.end(), 0);
    for (std::size_t n = 0; n < labels.size(); ++n) ++times[draw.next()];
    const auto difference = difference_on(times);
    for (std::size_t m = 0; m < metric_count; ++m) resampled[m].push_back(difference[m]);
  }
  SystemComparison comparison;
  for (std::size_t m = 0; m < metric_count; ++m) {
    comparison[class_metrics()[m].name] = summarize(observed[m], resampled[m]);
  }
  return comparison;
}

std::vector<MeanInterval> bootstrap_means(std::span<const double> scores, std::size_t columns,
                                          const BootstrapOptions& options) {
  if (scores.empty() || columns == 0 || scores.size() % columns != 0 || options.resamples < 1) {
    throw std::invalid_argument("bootstrap_means: got " + std::to_string(scores.size()) +
                                " numbers for " + std::to_string(columns) + " columns and " +
                                std::to_string(options.resamples) +
                                " resamples; expected at least one whole row and one resample");
  }
  const std::size_t rows = scores.size() / columns;
  std::vector<double> sums(columns);
  const auto add_row = [&](std::size_t row) {
    for (std::size_t c = 0; c < columns; ++c) sums[c] += scores[row * columns + c];
  };
  for (std::size_t row = 0; row < rows; ++row) add_row(row);
  std::vector<MeanInterval> intervals(columns);
  for (std::size_t c = 0; c < columns; ++c) {
    intervals[c].mean = sums[c] / static_cast<double>(rows);
  }
  std::vector<std::vector<double>> resampled(columns);
  IndexDraw draw(options.seed, static_cast<std::uint32_t>(rows));
  for (std::int64_t i = 0; i < options.resamples; ++i) {
    std::fill(sums.begin(), sums.end(), 0);
    for (std::size_t n = 0; n < rows; ++n) add_row(draw.next());
    for (std::size_t c = 0; c < columns; ++c) {
      resampled[c].push_back(sums[c] / static_cast<double>(rows));
    }
  }
  for (std::size_t c = 0; c < columns; ++c) {
    std::sort(resampled[c].begin(), resampled[c].end());
    intervals[c].low = quantile(resampled[c], 0.025);
    intervals[c].high = quantile(resampled[c], 0.975);
  }
  return intervals;
}

ScoreDifference paired_bootstrap_of_means(const std::vector<double>& first,
                                          const std::vector<double>& second,
                                          const BootstrapOptions& options) {
  if (first.empty() || first.size() != second.size()) {
    throw std::invalid_argument("paired_bootstrap_of_means: got " + std::to_string(first.size()) +
                                " and " + std::to_string(second.size()) +
                                " numbers; expected the same number of both systems, at least one");
  }
  std::vector<double> differences;
  for (std::size_t i = 0; i < first.size(); ++i) differences.push_back(second[i] - first[i]);
  const auto count = static_cast<double>(differences.size());
  const double observed = std::accumulate(differences.begin(), differences.end(), 0.0) / count;
  IndexDraw draw(options.seed, static_cast<std::uint32_t>(differences.size()));
  std::vector<double> resampled;
  for (std::int64_t i = 0; i < options.resamples; ++i) {
    double sum = 0;
    for (std::size_t n = 0; n < differences.size(); ++n) sum += differences[draw.next()];
    resampled.push_back(sum / count);
  }
  return summarize(observed, resampled);
}

}  // namespace fastformer::metrics

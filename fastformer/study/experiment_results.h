#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/metrics/comparison.h"
#include "fastformer/study/experiment.h"
#include "fastformer/study/experiment_cell.h"

namespace fastformer::study {

struct MeanAndDeviation {
  double mean = 0;
  std::optional<double> deviation;  ///< of the sample (n - 1); nothing for a single value
};
/// Throws std::invalid_argument for no value.
MeanAndDeviation mean_and_deviation(const std::vector<double>& values);

/// What is known of one variant on one data set.
struct VariantResults {
  std::vector<CellStatus> cells;  ///< one a seed
  /// Against the first variant, over the seeds that both have; nothing where there are none, where
  /// the test items are others, and for the first variant itself.
  std::optional<metrics::SystemComparison> comparison;

  /// One a finished seed; cells that are not finished are left out, never counted as zero.
  std::vector<double> scores(const std::string& metric) const;
  std::vector<train::RunResult> finished() const;
};

/// [data][variant]
using ExperimentResults = std::vector<std::vector<VariantResults>>;

/// What a finished cell of a data set's first variant tells of its test part: how much it holds,
/// and the baselines. Zeros before one is finished; a variant that changes the data may have
/// others.
train::TestScores known_test(const std::vector<VariantResults>& variants);

/// Reads the results of finished cells and compares the variants.
class ResultsCollector {
 public:
  explicit ResultsCollector(const Experiment& experiment) : experiment_(experiment) {}

  /// Throws std::invalid_argument as compare_tests() does. Comparisons are kept: a call after one
  /// more cell computes only what that cell changed.
  ExperimentResults collect();

 private:
  using Key = std::pair<const Cell*, std::vector<std::size_t>>;  ///< a variant, the common seeds

  std::optional<metrics::SystemComparison> compare(std::size_t data, std::size_t variant,
                                                   const std::vector<std::size_t>& seeds) const;

  const Experiment& experiment_;
  std::map<Key, std::optional<metrics::SystemComparison>> comparisons_;
};

}  // namespace fastformer::study

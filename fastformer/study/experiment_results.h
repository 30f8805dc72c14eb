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
  std::optional<double> deviation;  ///< of the sample (n - 1); empty for a single value
};
/// Throws std::invalid_argument for no value.
MeanAndDeviation mean_and_deviation(const std::vector<double>& values);

/// The results of one variant on one data set.
struct VariantResults {
  std::vector<CellStatus> cells;  ///< one a seed
  /// Against the first variant, over common seeds; empty without common seeds, if the test items
  /// differ, and for the first variant.
  std::optional<metrics::SystemComparison> comparison;

  /// One score per finished seed; unfinished cells are omitted, never counted as zero.
  std::vector<double> scores(const std::string& metric) const;
  std::vector<train::RunResult> finished() const;
};

/// [data][variant]
using ExperimentResults = std::vector<std::vector<VariantResults>>;

/// The test part of a data set, from a finished cell of its first variant: its size and the
/// baselines. Zeros before one is finished; a variant that changes the data may have others.
train::TestScores known_test(const std::vector<VariantResults>& variants);

/// Reads the results of finished cells and compares the variants.
class ResultsCollector {
 public:
  explicit ResultsCollector(const Experiment& experiment) : experiment_(experiment) {}

  /// Throws std::invalid_argument as compare_tests() does. Comparisons are cached: after another
  /// cell only its comparisons are computed.
  ExperimentResults collect();

 private:
  using Key = std::pair<const Cell*, std::vector<std::size_t>>;  ///< a variant, the common seeds

  std::optional<metrics::SystemComparison> compare(std::size_t data, std::size_t variant,
                                                   const std::vector<std::size_t>& seeds) const;

  const Experiment& experiment_;
  std::map<Key, std::optional<metrics::SystemComparison>> comparisons_;
};

}  // namespace fastformer::study

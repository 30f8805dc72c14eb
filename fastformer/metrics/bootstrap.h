#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace fastformer::metrics {

/// The difference between the scores of two systems, with its 95 % interval and p-value.
struct ScoreDifference {
  double difference = 0;  ///< second system minus first, on all documents
  double low = 0;         ///< 2.5 % of the resampled differences lie below
  double high = 0;        ///< 2.5 % lie above
  double p = 1;           ///< two-sided p-value
};

/// Differences of all scores, second system minus first: {metric: difference}.
using SystemComparison = std::map<std::string, ScoreDifference>;

struct BootstrapOptions {
  std::int64_t classes = 2;
  std::int64_t resamples = 10'000;
  std::uint64_t seed = 1;
};

/// Compares two systems on the same documents by the paired bootstrap (Efron and Tibshirani 1993;
/// for texts Koehn 2004, Berg-Kirkpatrick et al. 2012). Each resample draws as many documents as
/// there are, with replacement, and difference* is the difference of the scores on the resample.
///
///   p = min(1, 2 (1 + min(#{difference* <= 0}, #{difference* >= 0})) / (1 + resamples))
///
/// `labels` [N]. `first` and `second` [runs][N]: predictions of the runs of each system; run i of
/// both has the same seed. The scores are the class_metrics(), averaged over the runs. All runs
/// share the resamples, because runs of one system are not independent evidence about a document:
/// the test is about other documents, not about other seeds.
///
/// Equal seeds give equal results on every platform. Throws std::invalid_argument without documents
/// or runs, for lists of unequal lengths, and for a class outside [0, classes).
SystemComparison paired_bootstrap(const std::vector<std::int32_t>& labels,
                                  const std::vector<std::vector<std::int32_t>>& first,
                                  const std::vector<std::vector<std::int32_t>>& second,
                                  const BootstrapOptions& options);

/// The mean of a score over documents, with its 95 % interval.
struct MeanInterval {
  double mean = 0;
  double low = 0;   ///< 2.5 % of the resampled means lie below
  double high = 0;  ///< 2.5 % lie above
};

/// Means of several scores of N documents, `scores` [N, columns], with intervals by the percentile
/// bootstrap. All columns share the resamples. Equal seeds give equal results on every platform;
/// `options.classes` is ignored. Throws std::invalid_argument if `scores` is empty or not a whole
/// number of rows, or if there are no resamples.
std::vector<MeanInterval> bootstrap_means(std::span<const double> scores, std::size_t columns,
                                          const BootstrapOptions& options);

/// paired_bootstrap() for a score that is the mean of one number per document or impression:
/// `first` and `second` [N] are the numbers of the two systems. If `first` is all zeros, `low` and
/// `high` are the interval of the second system's score. `options.classes` is ignored. Throws
/// std::invalid_argument for empty lists and for lists of unequal lengths.
ScoreDifference paired_bootstrap_of_means(const std::vector<double>& first,
                                          const std::vector<double>& second,
                                          const BootstrapOptions& options);

}  // namespace fastformer::metrics

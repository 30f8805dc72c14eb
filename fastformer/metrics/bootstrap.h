#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace fastformer::metrics {

/// The difference of a score between two systems, with its interval and p.
struct ScoreDifference {
  double difference = 0;  ///< of the second system from the first, on all documents
  double low = 0;         ///< 2.5 % of the resampled differences lie below
  double high = 0;        ///< 2.5 % lie above
  double p = 1;           ///< two-sided; small: the sign of the difference is unlikely to be chance
};

/// The differences of the second system's scores from the first's: {metric: difference}.
using SystemComparison = std::map<std::string, ScoreDifference>;

struct BootstrapOptions {
  std::int64_t classes = 2;
  std::int64_t resamples = 10'000;
  std::uint64_t seed = 1;
};

/// Compares two systems on the same documents by the paired bootstrap (Efron and Tibshirani 1993;
/// for texts Koehn 2004, Berg-Kirkpatrick et al. 2012): documents are drawn with replacement, as
/// many as there are, and the difference of the scores is taken on each such resample.
///
///   p = min(1, 2 (1 + min(#{difference* <= 0}, #{difference* >= 0})) / (1 + resamples))
///
/// `labels` [N]; `first` and `second` [runs][N] are the predictions of each system's trainings with
/// the same seeds, pair by pair. The scores are the class_metrics(), each the mean over the runs,
/// and all runs share one draw of documents, because the runs of a system are not independent
/// evidence about a document. So the test is about other documents, not about other seeds.
///
/// The same on every platform for the same seed. Throws std::invalid_argument for no document or
/// run, for lists of unequal lengths and for a class that is not in [0, classes).
SystemComparison paired_bootstrap(const std::vector<std::int32_t>& labels,
                                  const std::vector<std::vector<std::int32_t>>& first,
                                  const std::vector<std::vector<std::int32_t>>& second,
                                  const BootstrapOptions& options);

/// The mean of a score over documents, with its interval.
struct MeanInterval {
  double mean = 0;
  double low = 0;   ///< 2.5 % of the resampled means lie below
  double high = 0;  ///< 2.5 % lie above
};

/// The means of several scores [N, columns] of the same N documents, with intervals by the
/// percentile bootstrap: as many documents are drawn with replacement, and all scores share one
/// draw. The same on every platform for the same seed. Throws std::invalid_argument if `scores` is
/// empty or no whole number of rows, and without resamples.
std::vector<MeanInterval> bootstrap_means(std::span<const double> scores, std::size_t columns,
                                          const BootstrapOptions& options);

/// The same for a score that is the mean of one number per document or impression: `first` and
/// `second` [N] are those of two systems. Against zeros, `low` and `high` are the interval of one
/// system's score. `options.classes` is ignored. Throws std::invalid_argument for empty lists and
/// lists of unequal lengths.
ScoreDifference paired_bootstrap_of_means(const std::vector<double>& first,
                                          const std::vector<double>& second,
                                          const BootstrapOptions& options);

}  // namespace fastformer::metrics

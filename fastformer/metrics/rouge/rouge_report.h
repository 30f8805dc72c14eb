#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/metrics/rouge/rouge.h"

namespace fastformer::metrics {

/// Mean ROUGE over pairs of candidate and reference, with 95 % intervals by the bootstrap over
/// pairs (1,000 resamples, as rouge-score's aggregator draws).
///
///   RougeReport report;
///   report.add(scorer.score(candidate, reference));  // for every pair
///   std::puts(report.table().c_str());
class RougeReport {
 public:
  void add(const RougeScores& scores);

  std::int64_t pairs() const;

  /// A row for each kind of ROUGE, a column for precision, recall and F. Throws
  /// std::invalid_argument without any pair, as json() does.
  std::string table() const;
  /// {"pairs": N, "rouge1": {"precision": {"mean": x, "low": x, "high": x}, "recall": ...}, ...}
  std::string json() const;
  /// {"rouge1": [precision, recall, F], ...}, for the pair that was added last.
  std::string last_pair_json() const;

 private:
  std::vector<double> scores_;  ///< [pairs, 4 kinds, 3]
};

}  // namespace fastformer::metrics

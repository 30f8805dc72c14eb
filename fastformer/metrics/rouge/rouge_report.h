#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/metrics/rouge/rouge.h"

namespace fastformer::metrics {

/// Mean ROUGE over pairs of candidate and reference, with 95 % bootstrap intervals over the pairs
/// (1,000 resamples, as in rouge-score's aggregator).
///
///   RougeReport report;
///   report.add(scorer.score(candidate, reference));  // for every pair
///   std::puts(report.table().c_str());
class RougeReport {
 public:
  void add(const RougeScores& scores);

  std::int64_t pairs() const;

  /// A text table: one row for each kind of ROUGE, columns for precision, recall and F. Throws
  /// std::invalid_argument if there are no pairs, as json() does.
  std::string table() const;
  /// {"pairs": N, "rouge1": {"precision": {"mean": x, "low": x, "high": x}, "recall": ...}, ...}
  std::string json() const;
  /// {"rouge1": [precision, recall, F], ...} for the last pair that was added.
  std::string last_pair_json() const;

 private:
  std::vector<double> scores_;  ///< [pairs, 4 kinds, 3]
};

}  // namespace fastformer::metrics

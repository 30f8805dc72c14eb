#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/metrics/scores.h"

namespace fastformer::metrics {

/// The shown items of an impression, and their order by a model.
struct Ranking {
  std::span<const std::uint8_t> relevant;  ///< [n], 1 for a clicked candidate, 0 for another one
  std::span<const double> scores;          ///< [n]
  std::vector<std::size_t> order;          ///< [n], positions of the candidates, the best first
  std::size_t clicks = 0;                  ///< how many are relevant
};

/// A score for the order of one impression: a row of the table in ranking.cc.
struct RankingMetric {
  std::string name;   ///< "ndcg_5"
  std::string title;  ///< "nDCG@5"
  std::function<double(const Ranking&)> value;
};

/// The metrics of MIND's official evaluation (Wu et al. 2020) come first. With ranks from 1 and
/// y_i = 1 for a clicked candidate i:
///
///   AUC     share of the pairs (clicked, not clicked) in the right order
///   MRR     sum over all clicked of 1 / rank, divided by their number, not only that of the first
///   nDCG@k  sum over ranks r <= k of y_r / log2(r + 1), divided by that of the best order
///
/// For equal scores AUC counts one half, as scikit-learn's roc_auc_score does. The other three use
/// ranks_of(), where the later of two equal scores comes first, as in the official
/// numpy.argsort(scores)[::-1] with stable sorting.
const std::deque<RankingMetric>& ranking_metrics();
/// Adds a metric for all recommenders of the program. Call it before other threads use the library.
/// Throws std::invalid_argument for a name that is taken.
void register_ranking_metric(RankingMetric metric);

/// The rank of each candidate, from 1 for the highest score. Throws std::invalid_argument for a
/// score that is not a number.
std::vector<std::int32_t> ranks_of(std::span<const double> scores);

/// Whether there are both relevant and irrelevant candidates: otherwise AUC is undefined, and MIND
/// skips the impression.
bool measurable(std::span<const std::uint8_t> relevant);

/// The value of each of the ranking_metrics(). `relevant` [n] and `scores` [n] as in Ranking.
/// Throws std::invalid_argument for lists of unequal lengths, for a score that is not a number, and
/// for an impression that is not measurable.
std::vector<double> score_ranking(std::span<const std::uint8_t> relevant,
                                  std::span<const double> scores);

/// The means over impressions: the AUC of each impression, never one AUC over all pairs.
class RankingMean {
 public:
  /// Skips an impression that is not measurable, and counts it.
  void add(std::span<const std::uint8_t> relevant, std::span<const double> scores);

  /// By each of the ranking_metrics(); zeros before the first impression.
  Scores mean() const;
  std::int64_t impressions() const { return impressions_; }
  std::int64_t skipped() const { return skipped_; }
  /// [impressions, metrics], in the order of their addition, for comparisons.
  const std::vector<double>& scores() const { return scores_; }

 private:
  std::vector<double> scores_;
  std::int64_t impressions_ = 0, skipped_ = 0;
};

/// One line of the prediction.txt that MIND's leaderboard reads: "12 [3,1,2]", the id of the
/// impression and the rank of each candidate in their order.
void write_ranking(std::ostream& out, std::string_view id, std::span<const double> scores);

}  // namespace fastformer::metrics

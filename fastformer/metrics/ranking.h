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

/// The items shown in one impression, and their order by a model.
struct Ranking {
  std::span<const std::uint8_t> relevant;  ///< [n], 1 for a clicked candidate, else 0
  std::span<const double> scores;          ///< [n]
  std::vector<std::size_t> order;          ///< [n], positions of the candidates, the best first
  std::size_t clicks = 0;                  ///< number of relevant candidates
};

/// A metric of the order of one impression: a row of the table in ranking.cc.
struct RankingMetric {
  std::string name;   ///< "ndcg_5"
  std::string title;  ///< "nDCG@5"
  std::function<double(const Ranking&)> value;
};

/// All ranking metrics, first those of MIND's official evaluation (Wu et al. 2020). With ranks r
/// from 1 and y_i = 1 for a clicked candidate i:
///
///   AUC     share of the pairs (clicked, not clicked) in the right order
///   MRR     mean of 1 / rank over all clicked candidates, not only over the first
///   nDCG@k  sum over ranks r <= k of y_r / log2(r + 1), divided by that of the best order
///
/// For AUC, a pair with equal scores counts one half, as in scikit-learn's roc_auc_score. The
/// others use ranks_of(), which puts the later of two candidates with equal scores first, as the
/// official numpy.argsort(scores)[::-1] does with stable sorting.
const std::deque<RankingMetric>& ranking_metrics();
/// Adds a metric for all recommenders. Call it before other threads use the library. Throws
/// std::invalid_argument if the name is already in use.
void register_ranking_metric(RankingMetric metric);

/// The rank of each candidate, from 1 for the highest score. Throws std::invalid_argument if a
/// score is NaN.
std::vector<std::int32_t> ranks_of(std::span<const double> scores);

/// Whether both relevant and irrelevant candidates exist. Otherwise AUC is undefined, and MIND
/// skips the impression.
bool measurable(std::span<const std::uint8_t> relevant);

/// The value of each of the ranking_metrics(). `relevant` [n] and `scores` [n] as in Ranking.
/// Throws std::invalid_argument for lists of unequal lengths, for a score that is NaN, and for an
/// impression that is not measurable.
std::vector<double> score_ranking(std::span<const std::uint8_t> relevant,
                                  std::span<const double> scores);

/// Means over impressions: the AUC is computed for each impression, not over all pairs of a log.
class RankingMean {
 public:
  /// Adds an impression; one that is not measurable is only counted as skipped.
  void add(std::span<const std::uint8_t> relevant, std::span<const double> scores);

  /// The mean of each of the ranking_metrics(); zeros before the first impression.
  Scores mean() const;
  std::int64_t impressions() const { return impressions_; }
  std::int64_t skipped() const { return skipped_; }
  /// All values, [impressions, metrics], in the order of add(), for comparisons.
  const std::vector<double>& scores() const { return scores_; }

 private:
  std::vector<double> scores_;
  std::int64_t impressions_ = 0, skipped_ = 0;
};

/// Writes a line of the prediction.txt for MIND's leaderboard, "12 [3,1,2]": the id of the
/// impression and the rank of each candidate, in the order of the candidates.
void write_ranking(std::ostream& out, std::string_view id, std::span<const double> scores);

}  // namespace fastformer::metrics

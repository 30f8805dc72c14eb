#pragma once

#include <cstdint>
#include <iosfwd>
#include <span>
#include <string_view>
#include <vector>

#include "fastformer/data/impression_log.h"

namespace fastformer::tasks {

/// How well scores order what one impression showed, by the official evaluation of MIND (Wu et al.
/// 2020). With ranks from 1 and y_i = 1 where candidate i was clicked:
///
///   AUC     share of the pairs (clicked, not clicked) in the right order; an equal score is half
///   MRR     sum over all clicked of 1 / rank, divided by their number: not that of the first only
///   nDCG@k  sum over ranks r <= k of y_r / log2(r + 1), divided by what the best order has
///
/// Equal scores: AUC counts them half, as scikit-learn's roc_auc_score does. The ranks of the other
/// three are those of ranks_of(), where the later of two equals comes first: what the official
/// numpy.argsort(scores)[::-1] gives where its sorting is stable.
struct RankingScores {
  double auc = 0, mrr = 0, ndcg_5 = 0, ndcg_10 = 0;
};

/// The rank of each candidate, from 1 for the highest score. Throws std::invalid_argument for a
/// score that is not a number.
std::vector<std::int32_t> ranks_of(std::span<const double> scores);

/// Whether the impression has something clicked and something not clicked: without either, AUC has
/// no value and MIND leaves it out.
bool measurable(std::span<const data::Candidate> candidates);

/// Throws std::invalid_argument for a log that nobody knows the clicks of, with `remedy` as the end
/// of its sentence.
void check_labelled(const data::ImpressionLog& log, const char* remedy);

/// Throws std::invalid_argument for another number of scores than of candidates, for a score that
/// is not a number, and for an impression that is not measurable.
RankingScores score_ranking(std::span<const data::Candidate> candidates,
                            std::span<const double> scores);

/// The means over impressions: of each its own AUC, never one AUC of all pairs.
class RankingMean {
 public:
  /// Leaves out an impression that is not measurable, and counts it.
  void add(std::span<const data::Candidate> candidates, std::span<const double> scores);

  /// Zeros before the first impression.
  RankingScores mean() const;
  std::int64_t impressions() const { return static_cast<std::int64_t>(scores_.size()); }
  std::int64_t left_out() const { return left_out_; }
  /// Of each impression, in the order of their addition: what systems are compared by.
  const std::vector<RankingScores>& scores() const { return scores_; }

 private:
  std::vector<RankingScores> scores_;
  std::int64_t left_out_ = 0;
};

/// One line of the prediction.txt that MIND's leaderboard reads: "12 [3,1,2]", the id of the
/// impression and the rank of each candidate in their order.
void write_prediction(std::ostream& out, std::string_view id, std::span<const double> scores);

}  // namespace fastformer::tasks

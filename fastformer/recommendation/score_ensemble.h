#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "fastformer/recommendation/collaborative/click_scores.h"
#include "fastformer/recommendation/dataset.h"
#include "fastformer/recommendation/evaluation.h"
#include "fastformer/recommendation/recommender_model.h"

namespace fastformer::recommendation {

/// Averages the scores of M recommenders. Their scales differ, so the scores of each model are
/// standardized before the mean:
///
///   s_c = 1/M sum over m of (s_mc - mean over c of s_mc) / deviation of m
///
/// where the deviation of a model is the root of the mean square of its differences from the mean
/// of an impression, over all impressions. So of two candidates the one that a model prefers by
/// more than it usually does wins against one that another prefers by less. A model with equal
/// scores everywhere contributes 0.
///
///   ScoreEnsemble ensemble;
///   for (const auto& member : members) ensemble.add(*member.model, member.dataset, member.clicks);
///   ensemble.visit(log, [&](const auto& impression, auto scores) { use(impression, scores); });
class ScoreEnsemble {
 public:
  /// Adds the scores for the test part of `data`. All members must have the same impressions, but
  /// each member reads its own titles and histories. Throws std::invalid_argument if an impression
  /// shows other items than for the first member, or if a score is not finite.
  void add(const RecommenderModel& model, const Dataset& data,
           const std::shared_ptr<const ClickScores>& clicks = nullptr);

  /// Calls `use` with the mean scores of each impression of `log`, the first member's test part, in
  /// order. Throws std::logic_error if there are no members.
  void visit(const ImpressionLog& log, const ScoreUse& use) const;

 private:
  void check_shown(const Dataset& data);

  std::vector<std::uint64_t> shown_;  ///< of each impression of the first member
  std::vector<float> sums_;           ///< of the candidates of all impressions
  std::int64_t members_ = 0;
};

}  // namespace fastformer::recommendation

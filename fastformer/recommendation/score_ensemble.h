#pragma once

#include <cstdint>
#include <vector>

#include "fastformer/recommendation/dataset.h"
#include "fastformer/recommendation/evaluation.h"
#include "fastformer/recommendation/recommender_model.h"

namespace fastformer::recommendation {

/// Averages the scores of M recommenders. Recommenders score on different scales, so the scores of
/// an impression are standardized before the mean:
///
///   s_c = 1/M sum over m of (s_mc - mean over c of s_mc) / deviation over c of s_mc
///
/// where a model that scores all candidates of an impression equally adds 0.
///
///   ScoreEnsemble ensemble;
///   for (const auto& member : members) ensemble.add(*member.model, member.dataset);
///   ensemble.visit(log, [&](const auto& impression, auto scores) { use(impression, scores); });
class ScoreEnsemble {
 public:
  /// Scores the test part of `data`: the same impressions for each member, read with the member's
  /// own titles and histories. Throws std::invalid_argument if an impression shows other items than
  /// that of the first member, and for a score that is not finite.
  void add(const RecommenderModel& model, const Dataset& data);

  /// The scores impression by impression, in the order of `log`, the first member's test part.
  /// Throws std::logic_error without a member.
  void visit(const ImpressionLog& log, const ScoreUse& use) const;

 private:
  void check_shown(const Dataset& data);

  std::vector<std::uint64_t> shown_;  ///< of each impression of the first member
  std::vector<float> sums_;           ///< of the candidates of all impressions
  std::int64_t members_ = 0;
};

}  // namespace fastformer::recommendation

#pragma once

#include <vector>

#include "fastformer/data/impression_log.h"
#include "fastformer/data/title_tokens.h"
#include "fastformer/tasks/recommender.h"
#include "fastformer/tasks/recommender_evaluation.h"

namespace fastformer::tasks {

/// The scores of M recommenders as those of one. Each scores on a scale of its own, so that its
/// scores of an impression are standardized before the mean is taken:
///
///   s_c = 1/M sum over m of (s_mc - mean over c of s_mc) / deviation over c of s_mc
///
/// where a model that scores all candidates of an impression equally adds 0.
///
///   ScoreEnsemble ensemble;
///   for (const auto& member : members) ensemble.add(member.model, member.titles, log);
///   ensemble.visit(log, [&](const auto& impression, auto scores) { use(impression, scores); });
class ScoreEnsemble {
 public:
  /// The log may have been read with other titles and histories than that of the members before,
  /// but must show the same. Throws std::invalid_argument where it shows another number of news.
  void add(const Recommender& model, const data::TitleTokens& titles,
           const data::ImpressionLog& log);

  /// The scores impression by impression, in the order of the log. Throws std::invalid_argument for
  /// a log that does not show what the members scored, which is everything without a member.
  void visit(const data::ImpressionLog& log, const ScoreUse& use) const;

 private:
  std::vector<float> sums_;  ///< of the candidates of all impressions
  std::int64_t members_ = 0;
};

}  // namespace fastformer::tasks

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fastformer/recommendation/collaborative/click_scores.h"
#include "fastformer/recommendation/collaborative/members.h"
#include "fastformer/recommendation/dataset.h"

namespace fastformer::recommendation {

/// The score of titles pooled with the members named in `names`: weights and decay minimize the
/// loss on a sample of the validation part (see pool_weights()), for the members fit.on_train();
/// the result has the members fit.on_all(). `score_validation` passes on the scores of titles for
/// the validation part, in its order. Throws std::invalid_argument if no impression of it has both
/// a clicked and an unclicked item, and for a score that is not finite.
ClickScores pooled_clicks(const ClickMemberFit& fit, const std::vector<std::string>& names,
                          const Dataset& dataset,
                          const std::function<void(const ScoreUse&)>& score_validation);

}  // namespace fastformer::recommendation

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "fastformer/data/impression_log.h"
#include "fastformer/data/title_tokens.h"
#include "fastformer/tasks/ranking_metrics.h"
#include "fastformer/tasks/recommender.h"

namespace fastformer::tasks {

/// Takes the scores of an impression's candidates.
using ScoreUse =
    std::function<void(const data::Impression& impression, std::span<const double> scores)>;

/// How a recommender does on a labelled log.
struct RecommenderEvaluation {
  RankingMean ranking;
  double loss = 0;  ///< mean over the clicks of -log softmax of a click among it and all that its
                    ///< impression showed without effect, in nats
};

/// Collects the scores of labelled impressions.
class RecommenderMeter {
 public:
  void add(const data::Impression& impression, std::span<const double> scores);
  /// Throws std::invalid_argument when none of the impressions can be measured.
  RecommenderEvaluation result() const;

 private:
  RankingMean ranking_;
  double loss_ = 0;
  std::int64_t impressions_ = 0, clicks_ = 0;
};

/// The scores of all candidates, impression by impression, in the order of the log. Where news are
/// vectors (nrms, fastformer), those of the log are encoded once, and so is each distinct history:
/// they take 4 d bytes each. Else (fim) titles are encoded for a few impressions at a time.
void score_impressions(const Recommender& model, const data::TitleTokens& titles,
                       const data::ImpressionLog& log, const ScoreUse& use);

/// Throws std::invalid_argument for a log without labels or without an impression that can be
/// measured.
///
///   const auto result = evaluate(model, dataset.titles, dataset.parts.test);
///   result.ranking.mean().auc;
RecommenderEvaluation evaluate(const Recommender& model, const data::TitleTokens& titles,
                               const data::ImpressionLog& log);

/// Writes the prediction.txt of MIND's leaderboard, a line for each impression that `score` gives
/// to the function it is called with, and gives these to `meter`, where there is one. Throws
/// std::runtime_error as base::write_file_atomically() does.
///
///   write_predictions([&](const ScoreUse& use) { score_impressions(model, titles, log, use); },
///                     "prediction.txt");
void write_predictions(const std::function<void(const ScoreUse&)>& score,
                       const std::filesystem::path& file, RecommenderMeter* meter = nullptr);

/// "AUC 0.7000   MRR ...", the four of them.
std::string ranking_text(const RankingScores& scores);
/// These with 95 % intervals by the bootstrap over impressions, the loss and what was left out, for
/// people and as JSON.
std::string evaluation_table(const RecommenderEvaluation& evaluation);
std::string evaluation_json(const RecommenderEvaluation& evaluation);

}  // namespace fastformer::tasks

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "fastformer/metrics/ranking.h"
#include "fastformer/metrics/scores.h"
#include "fastformer/recommendation/collaborative/click_scores.h"
#include "fastformer/recommendation/dataset.h"
#include "fastformer/recommendation/impression_log.h"
#include "fastformer/recommendation/item_table.h"
#include "fastformer/recommendation/recommender_model.h"

namespace fastformer::recommendation {

/// The scores of a recommender on a labelled log.
struct Evaluation {
  metrics::RankingMean ranking;
  double loss = 0;  ///< mean over the clicks, in nats, of -log softmax of the click's score over
                    ///< the click and the items of its impression that were not clicked
};

/// Computes an Evaluation from the scores of labelled impressions.
class RecommenderMeter {
 public:
  void add(const Impression& impression, std::span<const double> scores);
  /// Throws std::invalid_argument if no impression was measurable.
  Evaluation result() const;

 private:
  metrics::RankingMean ranking_;
  double loss_ = 0;
  std::int64_t impressions_ = 0, clicks_ = 0;
};

/// Scores the candidates of each impression, in the order of the log. For models with item vectors
/// (nrms, fastformer), each item of the log and each distinct history is encoded once and takes 4 d
/// bytes. For others (fim), titles are encoded for a few impressions at a time.
void score_impressions(const RecommenderModel& model, const TitleTokens& titles,
                       const ImpressionLog& log, const ScoreUse& use);

/// The same for the items of a data set, with what `clicks` adds to the scores of titles; null:
/// nothing.
void score_with_clicks(const RecommenderModel& model,
                       const std::shared_ptr<const ClickScores>& clicks, const Dataset& dataset,
                       const ImpressionLog& log, const ScoreUse& use);

/// Evaluates a model. Throws std::invalid_argument for a log without labels or without a measurable
/// impression.
///
///   const auto result = evaluate(model, dataset.titles, dataset.parts.test);
///   metrics::score_of(result.ranking.mean(), "auc");
Evaluation evaluate(const RecommenderModel& model, const TitleTokens& titles,
                    const ImpressionLog& log);

/// Writes the prediction.txt of MIND's leaderboard: one line for each impression that `score`
/// passes to its argument. `meter`, if not null, receives the same scores. Throws
/// std::runtime_error as base::write_file_atomically() does.
///
///   write_rankings([&](const ScoreUse& use) { score_impressions(model, titles, log, use); },
///                     "prediction.txt");
void write_rankings(const std::function<void(const ScoreUse&)>& score,
                    const std::filesystem::path& file, RecommenderMeter* meter = nullptr);

/// The scores in one line: "AUC 0.7000   MRR ...".
std::string ranking_text(const metrics::Scores& scores);
/// How much higher the MRR of `first` is than that of `second`, with the 95 % interval of the
/// paired bootstrap: "MRR +0.0351 (+0.0301 to +0.0402)". Both hold the same impressions.
std::string mrr_gain_text(const metrics::RankingMean& first, const metrics::RankingMean& second);
/// The metrics with 95 % bootstrap intervals over the impressions, the loss, and the number of
/// skipped impressions, as a text table and as JSON.
std::string evaluation_table(const Evaluation& evaluation);
std::string evaluation_json(const Evaluation& evaluation);

}  // namespace fastformer::recommendation

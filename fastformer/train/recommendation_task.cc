#include "fastformer/train/recommendation_task.h"

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/tasks/ranking_baselines.h"
#include "fastformer/tasks/recommender_directory.h"
#include "fastformer/tasks/recommender_evaluation.h"

namespace fastformer::train {
namespace {

constexpr const char* kTestFile = "test.json";
constexpr const char* kPredictionsFile = "prediction.txt";

tasks::Scores scores_of(const tasks::RecommenderEvaluation& evaluation) {
  const auto mean = evaluation.ranking.mean();
  return {{"loss", evaluation.loss},
          {"auc", mean.auc},
          {"mrr", mean.mrr},
          {"ndcg_5", mean.ndcg_5},
          {"ndcg_10", mean.ndcg_10}};
}

std::string baseline_row(const char* name, const tasks::RankingMean& ranking) {
  return base::format("%-12s ", name) + tasks::ranking_text(ranking.mean()) + "\n";
}

}  // namespace

RecommendationTask::RecommendationTask(const Recipe& recipe, const std::filesystem::path&)
    : recipe_(recipe),
      dataset_(data::prepare_clicks(recipe.clicks, recipe.text)),
      model_(recipe.recommender, dataset_.tokenizer->vocabulary_size(),
             static_cast<std::uint64_t>(recipe.train.seed)),
      sampler_(dataset_.parts.train, dataset_.titles,
               {.batch_size = recipe.train.batch.batch_size,
                .negatives = recipe.recommender.negatives,
                .seed = static_cast<std::uint64_t>(recipe.train.seed)}) {
  // Not in initialize(): a run that is resumed needs what does not learn, too, and checkpoints do
  // not have it.
  model_.load_pretrained();
}

std::string RecommendationTask::summary() const {
  return dataset_.summary() + base::format("clicks to learn from %lld   passed over %lld\n",
                                           static_cast<long long>(sampler_.clicks()),
                                           static_cast<long long>(sampler_.skipped()));
}

std::int64_t RecommendationTask::begin_epoch(std::int64_t epoch, std::int64_t first_batch) {
  batches_.stop();
  sampler_.begin_epoch(epoch);
  batches_.begin([this](std::int64_t i) { return sampler_.batch(i); }, first_batch,
                 sampler_.batches());
  return sampler_.batches();
}

tasks::Scores RecommendationTask::validate() const {
  if (dataset_.parts.validation.size() == 0) return {};
  return scores_of(tasks::evaluate(model_, dataset_.titles, dataset_.parts.validation));
}

// What the model has to beat, on the same impressions.
std::string RecommendationTask::baselines() const {
  const auto& test = dataset_.parts.test;
  return baseline_row("random", tasks::rank_with(tasks::random_baseline(1), test)) +
         baseline_row("popularity",
                      tasks::rank_with(
                          tasks::popularity_baseline(dataset_.parts.train, dataset_.news), test)) +
         baseline_row("category", tasks::rank_with(tasks::category_baseline(dataset_.news), test));
}

TestReport RecommendationTask::test(const std::filesystem::path& folder) const {
  const auto& log = dataset_.parts.test;
  if (log.size() == 0) return {};
  tasks::RecommenderMeter meter;
  tasks::write_predictions(
      [&](const tasks::ScoreUse& use) {
        tasks::score_impressions(model_, dataset_.titles, log, use);
      },
      folder / kPredictionsFile, log.labelled() ? &meter : nullptr);
  if (!log.labelled()) return {};
  const auto evaluation = meter.result();
  base::write_file_atomically(folder / kTestFile, tasks::evaluation_json(evaluation) + "\n");
  return {.documents = evaluation.ranking.impressions(),
          .scores = scores_of(evaluation),
          .table = tasks::evaluation_table(evaluation) + baselines()};
}

void RecommendationTask::save_model(const std::filesystem::path& directory,
                                    const std::string& card) const {
  tasks::save_recommender(directory, recipe_.clicks, *dataset_.tokenizer, model_, card);
}

}  // namespace fastformer::train

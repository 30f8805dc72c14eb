#include "fastformer/train/recommendation_task.h"

#include <unistd.h>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/tasks/ranking_baselines.h"
#include "fastformer/tasks/recommender_directory.h"
#include "fastformer/tasks/recommender_evaluation.h"
#include "fastformer/tasks/shown_news.h"
#include "fastformer/train/test_items.h"

namespace fastformer::train {
namespace {

constexpr const char* kTestFile = "test.json";
constexpr const char* kPredictionsFile = "prediction.txt";

// A quarter of the machine's memory.
std::int64_t kept_titles_limit() {
  return std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGE_SIZE) / 4;
}

tasks::Scores scores_of(const tasks::RankingScores& ranking) {
  return {{"auc", ranking.auc},
          {"mrr", ranking.mrr},
          {"ndcg_5", ranking.ndcg_5},
          {"ndcg_10", ranking.ndcg_10}};
}

tasks::Scores scores_of(const tasks::RecommenderEvaluation& evaluation) {
  auto scores = scores_of(evaluation.ranking.mean());
  scores.insert(scores.begin(), {"loss", evaluation.loss});
  return scores;
}

TestItems items_of(const tasks::RankingMean& ranking, const data::ImpressionLog& log,
                   const data::NewsTable& news) {
  TestItems items{.metrics = {"auc", "mrr", "ndcg_5", "ndcg_10"}};
  auto scores = ranking.scores().begin();
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto impression = log[i];
    if (!tasks::measurable(impression.candidates)) continue;
    items.add(tasks::hash_of_shown(impression, news),
              {scores->auc, scores->mrr, scores->ndcg_5, scores->ndcg_10});
    ++scores;
  }
  return items;
}

}  // namespace

RecommendationTask::RecommendationTask(const Recipe& recipe, const std::filesystem::path&)
    : recipe_(recipe),
      dataset_(data::prepare_clicks(recipe.clicks, recipe.text)),
      model_(recipe.recommender, dataset_.tokenizer->vocabulary_size(),
             static_cast<std::uint64_t>(recipe.train.seed)),
      frozen_(model_, dataset_.titles, kept_titles_limit()),
      sampler_(dataset_.parts.train, dataset_.titles,
               {.batch_size = recipe.train.batch.batch_size,
                .negatives = recipe.recommender.negatives,
                .seed = static_cast<std::uint64_t>(recipe.train.seed)}) {
  // Not in initialize(): a run that is resumed needs what does not learn, too, and checkpoints do
  // not have it.
  model_.load_pretrained();
}

void RecommendationTask::check_model(const Recipe& recipe) {
  constexpr std::int64_t kVocabulary = 8;
  auto config = recipe.recommender;
  config.bert.vocabulary_size = kVocabulary;
  tasks::Recommender(config, kVocabulary, /*seed=*/0);
}

std::string RecommendationTask::summary() const {
  auto text = dataset_.summary() + base::format("clicks to learn from %lld   passed over %lld\n",
                                                static_cast<long long>(sampler_.clicks()),
                                                static_cast<long long>(sampler_.skipped()));
  if (frozen_.bytes() > 0) {
    text +=
        base::format("all titles pass the frozen layers before the first step, %.0f MiB to keep\n",
                     static_cast<double>(frozen_.bytes()) / (1 << 20));
  }
  return text;
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
std::vector<RecommendationTask::Baseline> RecommendationTask::baselines() const {
  const auto& news = dataset_.news;
  const auto score = [this](const tasks::ImpressionScorer& scorer) {
    return tasks::rank_with(scorer, dataset_.parts.test).mean();
  };
  std::vector<Baseline> baselines = {
      {"random", score(tasks::random_baseline(1))},
      {"popularity", score(tasks::popularity_baseline(dataset_.parts.train, news))}};
  if (!news.categories().empty()) {
    baselines.push_back({"category", score(tasks::category_baseline(news))});
  }
  return baselines;
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
  write_test_items(folder / kTestItemsFile, items_of(evaluation.ranking, log, dataset_.news));
  TestReport report{.documents = evaluation.ranking.impressions(),
                    .scores = scores_of(evaluation),
                    .baselines = {},
                    .table = tasks::evaluation_table(evaluation)};
  for (const auto& [name, scores] : baselines()) {
    report.baselines.push_back({name, scores_of(scores)});
    report.table += base::format("%-12s ", name.c_str()) + tasks::ranking_text(scores) + "\n";
  }
  return report;
}

void RecommendationTask::save_model(const std::filesystem::path& directory,
                                    const std::string& card) const {
  tasks::save_recommender(directory, recipe_.clicks, *dataset_.tokenizer, model_, card);
}

}  // namespace fastformer::train

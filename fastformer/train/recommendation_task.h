#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fastformer/data/click_dataset.h"
#include "fastformer/tasks/click_sampler.h"
#include "fastformer/tasks/frozen_titles.h"
#include "fastformer/tasks/initial_vectors.h"
#include "fastformer/tasks/ranking_metrics.h"
#include "fastformer/tasks/recommender.h"
#include "fastformer/train/epoch_batches.h"
#include "fastformer/train/training_task.h"

namespace fastformer::train {

/// News recommendation, tasks::Recommender on data::ClickDataset. Scores: loss (of a click among
/// all that its impression showed), auc, mrr, ndcg_5, ndcg_10. The test part leaves test.json (see
/// tasks::evaluation_json), test_items.csv (the scores of each impression that can be measured)
/// and, as MIND's leaderboard reads it, prediction.txt; a test part without clicks only the latter.
/// A batch is `train.batch_size` clicks.
class RecommendationTask final : public TrainingTask {
 public:
  /// Throws as data::prepare_clicks() and tasks::ClickSampler do.
  RecommendationTask(const Recipe& recipe, const std::filesystem::path& cache);
  /// See train::check_model().
  static void check_model(const Recipe& recipe);

  std::string title() const override { return "News recommender"; }
  std::string summary() const override;

  const nn::ParameterMap& parameters() const override { return model_.trained_parameters(); }
  std::set<std::string> row_sparse_parameters() const override {
    return model_.row_sparse_parameters();
  }
  double learning_rate_factor(const std::string& parameter) const override {
    return model_.learning_rate_factor(parameter);
  }
  std::vector<std::string> initialize() override {
    return tasks::load_word_vectors(recipe_.train.word_vectors, *dataset_.tokenizer, parameters());
  }

  std::int64_t batches(std::int64_t /*epoch*/) const override { return sampler_.batches(); }
  std::int64_t begin_epoch(std::int64_t epoch, std::int64_t first_batch) override;
  void next_batch() override { batches_.next(); }
  std::int64_t tokens() const override { return batches_->tokens(); }
  std::vector<std::pair<std::string, at::Tensor>> touched_rows() const override {
    return model_.touched_rows(*batches_);
  }
  at::Tensor loss() const override {
    return model_.loss(*batches_, /*training=*/true, frozen_.rows(*batches_));
  }

  tasks::Scores validate() const override;
  TestReport test(const std::filesystem::path& folder) const override;
  void save_model(const std::filesystem::path& directory, const std::string& card) const override;

 private:
  struct Baseline {
    std::string name;
    tasks::RankingScores scores;
  };
  std::vector<Baseline> baselines() const;

  Recipe recipe_;
  data::ClickDataset dataset_;
  tasks::Recommender model_;
  mutable tasks::FrozenTitles frozen_;  ///< computed by the first loss()
  tasks::ClickSampler sampler_;
  EpochBatches<tasks::NewsBatch> batches_;  ///< last: it reads the sampler
};

}  // namespace fastformer::train

#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/data/batch_stream.h"
#include "fastformer/recommendation/baselines.h"
#include "fastformer/recommendation/click_sampler.h"
#include "fastformer/recommendation/collaborative/click_scores.h"
#include "fastformer/recommendation/collaborative/members.h"
#include "fastformer/recommendation/dataset.h"
#include "fastformer/recommendation/frozen_titles.h"
#include "fastformer/recommendation/recommender_model.h"
#include "fastformer/recommendation/training.h"
#include "fastformer/train/starting_model.h"
#include "fastformer/train/task.h"

namespace fastformer::recommendation {

/// Training of a recommender. It writes test.json (see evaluation_json), test_items.csv (the scores
/// of each impression that can be measured) and prediction.txt for MIND's leaderboard; for a test
/// part without clicks only the last.
class RecommenderTask final : public train::Task {
 public:
  RecommenderTask(const Recipe& recipe, Dataset dataset, std::optional<train::StartingModel> start);

  std::string title() const override { return "Recommender"; }
  std::string summary() const override;
  std::vector<train::PreparedPart> prepared() const override;
  const nn::ParameterMap& parameters() const override { return model_.trained_parameters(); }
  std::set<std::string> row_sparse_parameters() const override {
    return model_.row_sparse_parameters();
  }
  double learning_rate_factor(const std::string& parameter) const override {
    return model_.learning_rate_factor(parameter);
  }
  std::vector<std::string> initialize() override;

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

  metrics::Scores validate() const override;

  train::TestReport test(const std::filesystem::path& folder) const override;

  void save_model(const std::filesystem::path& directory, const std::string& card) const override {
    save_recommender(directory, recipe_.data, *dataset_.tokenizer, model_, clicks().get(), card);
  }

  /// The trained model; the task must not be used any more.
  RecommenderContent take_content() &&;

 private:
  bool has_members() const { return !recipe_.model.items.members.empty(); }

  // Without members, the baselines of the test part.
  const ClickMemberFit& fit() const {
    if (!fit_) fit_.emplace(dataset_, recipe_.model.items.most, /*tune=*/has_members());
    return *fit_;
  }

  // Of the finished model; null without members.
  std::shared_ptr<const ClickScores> clicks() const;

  nn::ParameterMap fixed_parameters() const;

  // A baseline on the impressions of the model's ranking `own`, and the model's gain over it.
  void add_baseline(const std::string& name, const ImpressionScorer& scorer,
                    const metrics::RankingMean& own, train::TestReport& report,
                    const std::string& setting = {}) const;

  Recipe recipe_;
  std::optional<train::StartingModel> start_;
  Dataset dataset_;
  RecommenderModel model_;
  mutable FrozenTitles frozen_;                        // computed by the first loss()
  mutable std::optional<ClickMemberFit> fit_;          // computed when it is first needed
  mutable std::shared_ptr<const ClickScores> clicks_;  // the same
  ClickSampler sampler_;
  data::BatchStream<ItemBatch> batches_;  // last: it reads the sampler
};

}  // namespace fastformer::recommendation

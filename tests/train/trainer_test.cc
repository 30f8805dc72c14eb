#include "fastformer/train/trainer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/temporary_folder.h"

namespace fastformer::train {
namespace {

/// A task whose validation scores are given, one pair of accuracy and loss per epoch of two steps.
class ScriptedTask final : public Task {
 public:
  explicit ScriptedTask(std::vector<std::pair<double, double>> scores)
      : scores_(std::move(scores)), store_(1), weight_(store_.normal("weight", {1})) {}

  std::string title() const override { return "Scripted"; }
  std::string summary() const override { return ""; }
  std::vector<PreparedPart> prepared() const override { return {}; }
  const nn::ParameterMap& parameters() const override { return store_.parameters(); }
  std::set<std::string> row_sparse_parameters() const override { return {}; }
  std::int64_t batches(std::int64_t) const override { return 2; }
  std::int64_t begin_epoch(std::int64_t, std::int64_t) override { return 2; }
  void next_batch() override {}
  std::int64_t tokens() const override { return 1; }
  std::vector<std::pair<std::string, at::Tensor>> touched_rows() const override { return {}; }
  at::Tensor loss() const override { return weight_.square().sum(); }
  metrics::Scores validate() const override {
    const auto [accuracy, loss] = scores_.at(validated_++);
    return {{"loss", loss}, {"accuracy", accuracy}};
  }
  TestReport test(const std::filesystem::path&) const override { return {}; }
  void save_model(const std::filesystem::path&, const std::string&) const override {}

  /// As a resumed run: the scores of the epochs before are not asked for again.
  void skip(std::size_t epochs) { validated_ = epochs; }

 private:
  std::vector<std::pair<double, double>> scores_;
  mutable std::size_t validated_ = 0;
  nn::ParameterStore store_;
  at::Tensor weight_;
};

TrainConfig config(std::size_t epochs) {
  TrainConfig config;
  config.epochs = static_cast<std::int64_t>(epochs);
  config.metric = "accuracy";
  return config;
}

std::int64_t best_step(const std::vector<std::pair<double, double>>& scores) {
  ScriptedTask task(scores);
  Trainer trainer(config(scores.size()), task, {});
  EXPECT_TRUE(trainer.run());
  return trainer.state().best_step;
}

TEST(TrainerTest, TheHighestMetricIsTheBest) {
  EXPECT_EQ(best_step({{0.5, 1}, {0.9, 3}, {0.8, 0.1}}), 4);
}

TEST(TrainerTest, TheValidationLossDecidesBetweenEqualMetrics) {
  EXPECT_EQ(best_step({{0.9, 1}, {0.9, 0.5}, {0.9, 0.7}, {0.8, 0.1}}), 4);
  EXPECT_EQ(best_step({{0.9, 0.5}, {0.9, 0.5}}), 2);
}

TEST(TrainerTest, AResumedRunKnowsTheLossOfItsBestStep) {
  const testing::TemporaryFolder folder;
  const std::vector<std::pair<double, double>> scores = {{0.9, 0.5}, {0.9, 0.7}, {0.9, 0.6}};
  CheckpointFolder checkpoints(folder.path());
  {
    ScriptedTask task(scores);
    Trainer trainer(config(scores.size()), task, {.checkpoints = &checkpoints});
    EXPECT_FALSE(trainer.run([&] { return trainer.state().step == 3; }));
  }
  ScriptedTask task(scores);
  task.skip(1);
  Trainer trainer(config(scores.size()), task, {.checkpoints = &checkpoints, .resume = true});
  EXPECT_TRUE(trainer.run());
  EXPECT_EQ(trainer.state().best_step, 2);
}

}  // namespace
}  // namespace fastformer::train

#include "fastformer/train/trainer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/temporary_folder.h"

namespace fastformer::train {
namespace {

/// A task whose validation scores are given, one pair of accuracy and loss per epoch; of two steps,
/// unless a test wants others.
/// The second training, if there is one, has another minimum.
class ScriptedTask final : public Task {
 public:
  explicit ScriptedTask(std::vector<std::pair<double, double>> scores, bool refits = false)
      : scores_(std::move(scores)),
        refits_(refits),
        store_(1),
        weight_(store_.normal("weight", {1})) {}

  std::string title() const override { return "Scripted"; }
  std::string summary() const override { return ""; }
  std::vector<PreparedPart> prepared() const override { return {}; }
  const nn::ParameterMap& parameters() const override { return store_.parameters(); }
  std::set<std::string> row_sparse_parameters() const override { return {}; }
  std::int64_t batches(std::int64_t) const override { return batches_of_epoch; }
  std::int64_t begin_epoch(std::int64_t, std::int64_t) override { return batches_of_epoch; }
  void next_batch() override { std::this_thread::sleep_for(pause); }
  std::int64_t tokens() const override { return 1; }
  std::vector<std::pair<std::string, at::Tensor>> touched_rows() const override { return {}; }
  at::Tensor loss() const override { return (weight_ - minimum_).square().sum(); }
  bool refits() const override { return refits_; }
  void begin_refit() override {
    best_weight_ = weight_.item<double>();
    minimum_ = 1;
    nn::assign(parameters(), nn::ParameterMap{{"weight", at::zeros({1})}}, "the start");
  }
  metrics::Scores validate() const override {
    const auto [accuracy, loss] = scores_.at(validated_++);
    return {{"loss", loss}, {"accuracy", accuracy}};
  }
  TestReport test(const std::filesystem::path&) const override { return {}; }
  void save_model(const std::filesystem::path&, const std::string&) const override {}

  /// As a resumed run: the scores of the epochs before are not asked for again.
  void skip(std::size_t epochs) { validated_ = epochs; }

  std::int64_t batches_of_epoch = 2;
  std::chrono::milliseconds pause{0};
  double weight() const { return weight_.item<double>(); }
  double best_weight() const { return best_weight_; }

 private:
  std::vector<std::pair<double, double>> scores_;
  bool refits_;
  double minimum_ = 0, best_weight_ = 0;
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

TEST(TrainerTest, FewDataAreReadMoreOften) {
  ScriptedTask task({});
  const auto steps = [&](std::int64_t batches) {
    task.batches_of_epoch = batches;
    return Trainer(config(0), task, {}).total_steps();
  };
  EXPECT_EQ(steps(2), 200);     // 100 epochs
  EXPECT_EQ(steps(60), 1020);   // the least number of epochs that makes 1,000 steps
  EXPECT_EQ(steps(600), 1800);  // 3 epochs
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

/// Keeps the learning rate of each step and the weight after it.
struct Steps final : Observer {
  explicit Steps(const ScriptedTask& scripted) : task(scripted) {}
  void on_step(const StepReport& report) override {
    rates.push_back(report.learning_rate);
    weights.push_back(task.weight());
  }
  const ScriptedTask& task;
  std::vector<double> rates, weights;
};

const std::vector<std::pair<double, double>> kBestIsTheSecond = {{0.5, 1}, {0.9, 1}, {0.8, 1}};

TEST(TrainerTest, TheSecondTrainingHasTheStepsOfTheBestModelAndAWholeSchedule) {
  ScriptedTask task(kBestIsTheSecond, /*refits=*/true);
  Steps steps(task);
  Trainer trainer(config(3), task, {.observers = {&steps}});
  EXPECT_TRUE(trainer.run());
  EXPECT_EQ(trainer.state().step, 6 + 4);
  EXPECT_EQ(trainer.total_steps(), 6 + 4);
  EXPECT_EQ(trainer.state().best_step, 4);
  ASSERT_EQ(steps.rates.size(), 10U);
  for (std::size_t i = 0; i < 4; ++i) {  // linear, to 0
    EXPECT_NEAR(steps.rates[6 + i], steps.rates[0] * (1 - static_cast<double>(i) / 4), 1e-12);
  }
  EXPECT_EQ(task.best_weight(), steps.weights[3]);  // what the task has chosen by
  EXPECT_GT(task.weight(), 0);                      // from 0 toward 1
  EXPECT_EQ(task.weight(), steps.weights[9]);
}

// For one epoch, which would take a minute.
TrainConfig limited(ScriptedTask& task, double seconds) {
  task.pause = std::chrono::milliseconds(2);
  task.batches_of_epoch = 30'000;
  auto result = config(1);
  result.max_minutes = seconds / 60;
  return result;
}

TEST(TrainerTest, ALimitOfTimeEndsWithAnEvaluationAndALowRate) {
  ScriptedTask task({{0.5, 1}});
  Steps steps(task);
  Trainer trainer(limited(task, 0.2), task, {.observers = {&steps}});
  EXPECT_TRUE(trainer.run());
  EXPECT_LE(trainer.state().step, 100);
  EXPECT_GE(trainer.state().seconds, 0.2);
  EXPECT_EQ(trainer.state().best_step, trainer.state().step);
  EXPECT_EQ(trainer.total_steps(), trainer.state().step);
  ASSERT_GT(steps.rates.size(), 1U);
  EXPECT_LT(steps.rates.back(), 0.5 * steps.rates.front());
}

TEST(TrainerTest, WithASecondTrainingALimitOfTimeGivesEachHalf) {
  ScriptedTask task({{0.5, 1}}, /*refits=*/true);
  Steps steps(task);
  Trainer trainer(limited(task, 0.4), task, {.observers = {&steps}});
  EXPECT_TRUE(trainer.run());
  const auto first = trainer.state().refit_from;
  EXPECT_LE(first, 100);
  EXPECT_EQ(trainer.state().step, 2 * first);
  EXPECT_NEAR(steps.rates[static_cast<std::size_t>(first)], steps.rates.front(), 1e-12);
}

TEST(TrainerTest, WithoutAnEvaluationThereIsNoSecondTraining) {
  ScriptedTask task({}, /*refits=*/true);
  Trainer trainer(config(3), task, {});
  EXPECT_FALSE(trainer.run([&] { return trainer.state().step == 1; }));
  EXPECT_TRUE(trainer.refit());
  EXPECT_EQ(trainer.state().step, 1);
}

TEST(TrainerTest, ARunThatIsResumedInItsSecondTrainingEndsWithTheSameBits) {
  ScriptedTask undisturbed(kBestIsTheSecond, /*refits=*/true);
  EXPECT_TRUE(Trainer(config(3), undisturbed, {}).run());
  for (const std::int64_t stopped_at : {3, 7, 8, 9}) {
    SCOPED_TRACE(stopped_at);
    const testing::TemporaryFolder folder;
    CheckpointFolder checkpoints(folder.path());
    {
      ScriptedTask task(kBestIsTheSecond, /*refits=*/true);
      Trainer trainer(config(3), task, {.checkpoints = &checkpoints});
      EXPECT_FALSE(trainer.run([&] { return trainer.state().step == stopped_at; }));
    }
    ScriptedTask task(kBestIsTheSecond, /*refits=*/true);
    task.skip(stopped_at < 6 ? 1 : 3);
    Trainer trainer(config(3), task, {.checkpoints = &checkpoints, .resume = true});
    EXPECT_TRUE(trainer.run());
    EXPECT_EQ(trainer.state().step, 10);
    EXPECT_EQ(task.weight(), undisturbed.weight());
    EXPECT_EQ(task.best_weight(), undisturbed.best_weight());
  }
}

}  // namespace
}  // namespace fastformer::train

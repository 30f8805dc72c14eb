#include "fastformer/train/run_result.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace fastformer::train {
namespace {

TEST(RunResult, IsReadAsItWasWritten) {
  const testing::TemporaryFolder folder;
  const RunResult result{.steps = 7,
                         .training_seconds = 1.5,
                         .parameters = 9,
                         .encoder_parameters = 4,
                         .metric = "auc",
                         .best_step = 5,
                         .best_validation = 0.75,
                         .refit_steps = 40,
                         .test = TestScores{.items = 12,
                                            .scores = {{"loss", 1.25}, {"auc", 0.5}},
                                            .baselines = {{"random", {{"auc", 0.25}}},
                                                          {"popularity", {{"auc", 0.375}}}}}};
  write_run_result(folder / "result.json", result);
  const auto read = read_run_result(folder / "result.json");
  EXPECT_EQ(read.steps, 7);
  EXPECT_EQ(read.best_step, 5);
  ASSERT_TRUE(read.test);
  EXPECT_EQ(read.test->items, 12);
  ASSERT_EQ(read.test->scores.size(), 2u);
  EXPECT_EQ(read.test->scores[0].name, "loss");
  EXPECT_EQ(read.test->scores[1].value, 0.5);
  ASSERT_EQ(read.test->baselines.size(), 2u);
  EXPECT_EQ(read.test->baselines[1].name, "popularity");
  EXPECT_EQ(metrics::score_of(read.test->baselines[1].scores, "auc"), 0.375);
}

TEST(RunResult, MayLackATestPartAndBaselines) {
  const testing::TemporaryFolder folder;
  write_run_result(folder / "result.json", {});
  EXPECT_FALSE(read_run_result(folder / "result.json").test);
  write_run_result(folder / "result.json", {.test = TestScores{.items = 3}});
  EXPECT_TRUE(read_run_result(folder / "result.json").test->baselines.empty());
}

TEST(RunResult, WhatIsDamagedIsNamed) {
  const testing::TemporaryFolder folder;
  write_run_result(folder / "result.json", {.test = TestScores{.items = 3}});
  for (const auto* content : {"", "{}", "[]", "{\"steps\": \"x\"}"}) {
    const auto path = folder.write("result.json", content);
    EXPECT_MENTIONS(testing::error_of([&] { read_run_result(path); }), "result.json", "delete it");
  }
}

}  // namespace
}  // namespace fastformer::train

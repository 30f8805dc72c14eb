#include "fastformer/train/optimizer/schedule.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace fastformer::train {
namespace {

// Four warm-up steps of twenty; the numbers are those of transformers' get_*_schedule_with_warmup.
struct Point {
  std::int64_t step;
  double linear;
  double cosine;
};
constexpr Point kPoints[] = {{0, 0, 0},      {3, 0.75, 0.75},
                             {4, 1, 1},      {7, 0.8125, 0.91573480615127267},
                             {12, 0.5, 0.5}, {19, 0.0625, 0.0096073597983847775},
                             {20, 0, 0}};

TEST(Schedule, FollowsHuggingFace) {
  for (const Point& point : kPoints) {
    EXPECT_NEAR(schedule_factor(Schedule::kLinear, point.step, 20, 4), point.linear, 1e-15)
        << point.step;
    EXPECT_NEAR(schedule_factor(Schedule::kCosine, point.step, 20, 4), point.cosine, 1e-15)
        << point.step;
  }
}

TEST(Schedule, ConstantOnlyWarmsUp) {
  EXPECT_DOUBLE_EQ(schedule_factor(Schedule::kConstant, 1, 20, 4), 0.25);
  EXPECT_DOUBLE_EQ(schedule_factor(Schedule::kConstant, 4, 20, 4), 1.0);
  EXPECT_DOUBLE_EQ(schedule_factor(Schedule::kConstant, 500, 20, 4), 1.0);
}

TEST(Schedule, StartsAtThePeakWithoutWarmUp) {
  for (const auto schedule : {Schedule::kConstant, Schedule::kLinear, Schedule::kCosine}) {
    EXPECT_DOUBLE_EQ(schedule_factor(schedule, 0, 20, 0), 1.0);
  }
}

TEST(Schedule, StaysAtZeroAfterTheLastStep) {
  EXPECT_EQ(schedule_factor(Schedule::kLinear, 35, 20, 4), 0.0);
  EXPECT_EQ(schedule_factor(Schedule::kCosine, 35, 20, 4), 0.0);
  EXPECT_EQ(schedule_factor(Schedule::kLinear, 5, 4, 4), 0.0);
}

TEST(Schedule, RefusesNegativeSteps) {
  EXPECT_THROW(schedule_factor(Schedule::kLinear, -1, 20, 4), std::invalid_argument);
  EXPECT_THROW(schedule_factor(Schedule::kLinear, 0, 20, -4), std::invalid_argument);
}

}  // namespace
}  // namespace fastformer::train

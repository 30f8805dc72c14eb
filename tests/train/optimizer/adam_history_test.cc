#include "fastformer/train/optimizer/adam_history.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace fastformer::train {
namespace {

constexpr kernels::AdamConstants kConstants = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};

AdamHistory history_of(std::int64_t steps, double weight_decay = 0.0,
                       ReplayPrecision precision = ReplayPrecision::for_double()) {
  AdamHistory history(kConstants, weight_decay, precision);
  for (std::int64_t step = 0; step < steps; ++step) history.append(1e-3);
  return history;
}

TEST(AdamHistory, KnowsEveryStep) {
  const AdamHistory history = history_of(3, 0.1);
  EXPECT_EQ(history.size(), 3);
  EXPECT_DOUBLE_EQ(history.step(2).size, 1e-3 / (1 - 0.9 * 0.9));
  EXPECT_DOUBLE_EQ(history.step(2).root, 1 / std::sqrt(1 - 0.999 * 0.999));
  EXPECT_DOUBLE_EQ(history.step(2).decay, 1 - 1e-4);
}

TEST(AdamHistory, TakesShortGapsAndEarlyStepsOneByOne) {
  const AdamHistory late = history_of(5000);
  EXPECT_EQ(late.plan(4997).steps.size(), 3u);
  EXPECT_FALSE(late.plan(4997).has_rest);
  const AdamHistory early = history_of(40);
  EXPECT_EQ(early.plan(1).steps.size(), 39u);
  EXPECT_FALSE(early.plan(1).has_rest);
}

TEST(AdamHistory, StopsMovingAfterTheCutoffButDecaysOn) {
  const AdamHistory history = history_of(5000, 0.1);
  const ReplayPlan plan = history.plan(1);
  // 0.9004^396 is below 1e-18.
  EXPECT_EQ(plan.steps.size(), 396u);
  ASSERT_TRUE(plan.has_rest);
  EXPECT_NEAR(plan.rest.decay, std::pow(1 - 1e-4, 4999 - 396), 1e-12);
  EXPECT_EQ(plan.rest.first_scale, 0.0);
  EXPECT_EQ(plan.rest.coefficients[0], 0.0);
}

TEST(AdamHistory, SeriesReplacesTheStepsLateInTraining) {
  const AdamHistory history = history_of(5000, 0.1);
  for (const std::int64_t from : {4990, 4800, 4000, 3000}) {
    EXPECT_TRUE(history.plan(from).steps.empty()) << from;
    EXPECT_TRUE(history.plan(from).has_rest) << from;
  }
}

// Roots of v from nothing to far above epsilon. The tolerance is the rounding of 400 single steps.
TEST(AdamHistory, SeriesAgreesWithTheSteps) {
  const AdamHistory history = history_of(5000, 0.1);
  constexpr std::int64_t kFrom = 4600;
  std::vector<kernels::AdamStep> steps;
  for (std::int64_t step = kFrom + 1; step <= 5000; ++step) steps.push_back(history.step(step));
  for (const double root : {0.0, 1e-12, 1e-9, 1e-8, 1e-7, 1e-4, 1.0}) {
    double weight[2] = {0.5, 0.5};
    double first[2] = {root / 3, root / 3};
    double second[2] = {root * root, root * root};
    kernels::adam_replay(kConstants, steps, kernels::AdamSlice<double>{weight, first, second, 1});
    kernels::adam_replay(history.plan(kFrom).rest,
                         kernels::AdamSlice<double>{weight + 1, first + 1, second + 1, 1});
    EXPECT_NEAR(weight[1], weight[0], 1e-14) << root;
    EXPECT_NEAR(first[1], first[0], 1e-12 * root) << root;
    EXPECT_NEAR(second[1], second[0], 1e-12 * root * root) << root;
  }
}

TEST(AdamHistory, RefusesBadLearningRates) {
  AdamHistory history(kConstants, 0.5, ReplayPrecision::for_float());
  EXPECT_THROW(history.append(-1e-3), std::invalid_argument);
  EXPECT_THROW(history.append(std::nan("")), std::invalid_argument);
  EXPECT_THROW(history.append(2.0), std::invalid_argument);
  EXPECT_EQ(history.size(), 0);
}

}  // namespace
}  // namespace fastformer::train

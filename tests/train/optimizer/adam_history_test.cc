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
                       ReplayPrecision precision = ReplayPrecision::for_double(),
                       double beta2 = kConstants.beta2) {
  AdamHistory history({kConstants.beta1, beta2, kConstants.epsilon}, weight_decay, precision);
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

TEST(AdamHistory, TakesShortGapsAndTheFirstStepsOneByOne) {
  const AdamHistory late = history_of(5000);
  EXPECT_EQ(late.plan(4997).steps.size(), 3u);
  EXPECT_TRUE(late.plan(4997).series.empty());
  const AdamHistory early = history_of(40);
  EXPECT_GE(early.plan(1).steps.size(), 4u);
}

TEST(AdamHistory, WeightsThatHadNoGradientOnlyDecay) {
  EXPECT_TRUE(history_of(100).plan(0).steps.empty());
  EXPECT_TRUE(history_of(100).plan(0).series.empty());
  const auto plan = history_of(100, 0.1).plan(0);
  EXPECT_TRUE(plan.steps.empty());
  ASSERT_EQ(plan.series.size(), 1u);
  EXPECT_NEAR(plan.series.front().decay, std::pow(1 - 1e-4, 100), 1e-14);
  EXPECT_EQ(plan.series.front().coefficients[0], 0.0);
}

TEST(AdamHistory, StopsMovingAfterTheCutoffButDecaysOn) {
  const AdamHistory history = history_of(5000, 0.1);
  const ReplayPlan plan = history.plan(1000);
  ASSERT_FALSE(plan.series.empty());
  double decay = 1, first_scale = 1;
  for (const auto& series : plan.series) {
    decay *= series.decay;
    first_scale *= series.first_scale;
  }
  EXPECT_NEAR(decay, std::pow(1 - 1e-4, 4000), 1e-12);
  EXPECT_EQ(first_scale, 0.0);
}

TEST(AdamHistory, FewSeriesReplaceTheStepsLateInTraining) {
  const auto segments = [](double beta2, std::int64_t from) {
    const auto plan = history_of(5000, 0.1, ReplayPrecision::for_float(), beta2).plan(from);
    EXPECT_TRUE(plan.steps.empty()) << from;
    return plan.series.size();
  };
  for (const std::int64_t from : {4990, 4800, 4000, 3000}) {
    EXPECT_EQ(segments(0.999, from), 1u) << from;
    EXPECT_LE(segments(0.99, from), 4u) << from;
  }
}

// Roots of v from nothing to far above epsilon, and gaps from short ones to those beyond the
// cutoff, from the start of training on.
TEST(AdamHistory, SeriesAgreeWithTheSteps) {
  for (const double beta2 : {0.9, 0.99, 0.999}) {
    const AdamHistory history = history_of(1200, 0.1, ReplayPrecision::for_double(), beta2);
    const kernels::AdamConstants constants = {kConstants.beta1, beta2, kConstants.epsilon};
    for (const std::int64_t from : {1, 7, 100, 700, 1000, 1150, 1190}) {
      std::vector<kernels::AdamStep> steps;
      for (auto step = from + 1; step <= history.size(); ++step)
        steps.push_back(history.step(step));
      const auto plan = history.plan(from);
      for (const double root : {0.0, 1e-12, 1e-9, 1e-8, 1e-7, 1e-4, 1.0}) {
        double weight[2] = {0, 0};  // so that no rounding hides the error of the movement
        double first[2] = {root / 3, root / 3};
        double second[2] = {root * root, root * root};
        kernels::adam_replay(constants, steps,
                             kernels::AdamSlice<double>{weight, first, second, 1});
        const kernels::AdamSlice<double> slice{weight + 1, first + 1, second + 1, 1};
        kernels::adam_replay(constants, plan.steps, slice);
        for (const auto& series : plan.series) kernels::adam_replay(series, slice);
        EXPECT_NEAR(weight[1], weight[0], 1e-13 * std::abs(weight[0]))
            << beta2 << ' ' << from << ' ' << root;
        EXPECT_NEAR(first[1], first[0], 1e-12 * root) << beta2 << ' ' << from << ' ' << root;
        EXPECT_NEAR(second[1], second[0], 1e-12 * root * root) << beta2 << ' ' << from;
      }
    }
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

#include "fastformer/linear/pool.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <span>
#include <vector>

namespace fastformer::linear {
namespace {

struct Sample {
  std::vector<double> scores;  // [rows, classes]
  std::vector<std::int32_t> labels;
};

// Labels drawn from softmax(scores).
Sample sample(std::size_t rows, std::size_t classes) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal(0, 2);
  Sample result;
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<double> weights;
    for (std::size_t c = 0; c < classes; ++c) {
      result.scores.push_back(normal(random));
      weights.push_back(std::exp(result.scores.back()));
    }
    std::discrete_distribution<std::int32_t> draw(weights.begin(), weights.end());
    result.labels.push_back(draw(random));
  }
  return result;
}

std::vector<double> times(std::vector<double> values, double factor) {
  for (auto& value : values) value *= factor;
  return values;
}

TEST(PoolTest, OneMemberGetsItsTemperatureBack) {
  const auto data = sample(20000, 4);
  const std::array prior = {1.0};
  const auto pool = fit_pool({times(data.scores, 5)}, Targets::of_classes(data.labels, 4), prior);
  EXPECT_NEAR(pool.coefficients[0], 0.2, 0.01);
}

TEST(PoolTest, AMemberThatKnowsNothingGetsNoWeight) {
  const auto data = sample(20000, 3);
  auto noise = sample(20000, 3).scores;
  std::rotate(noise.begin(), noise.begin() + 3, noise.end());  // the scores of another row
  const std::array prior = {0.5, 0.5};
  const auto pool =
      fit_pool({data.scores, times(noise, -1)}, Targets::of_classes(data.labels, 3), prior);
  EXPECT_NEAR(pool.coefficients[0], 1, 0.05);
  EXPECT_NEAR(pool.coefficients[1], 0, 0.03);
  EXPECT_GE(pool.coefficients[1], 0);
}

// A member that knows the classes of a sample, and a noisy one.
std::vector<std::vector<double>> two_members(const std::vector<double>& scores) {
  auto other = times(scores, 0.3);
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  for (auto& score : other) score += normal(random);
  return {times(scores, 2), other};
}

// What fit_pool minimizes, by its definition.
double objective(const Pool& pool, const std::vector<std::vector<double>>& scores,
                 const Targets& targets, std::span<const double> prior) {
  double penalty = pool.bias * pool.bias;
  for (std::size_t k = 0; k < prior.size(); ++k) {
    penalty += std::pow(pool.coefficients[k] / prior[k] - 1, 2);
  }
  return cross_entropy(pool.logits(scores), targets) +
         penalty / static_cast<double>(targets.size());
}

TEST(PoolTest, TheResultIsTheSmallestValue) {
  const auto data = sample(500, 3);
  const auto targets = Targets::of_classes(data.labels, 3);
  const auto scores = two_members(data.scores);
  const std::array prior = {0.3, 0.6};
  const auto value = [&](const Pool& pool) { return objective(pool, scores, targets, prior); };
  const auto best = fit_pool(scores, targets, prior);
  for (const double step : {-1e-3, 1e-3}) {
    for (std::size_t k = 0; k < 2; ++k) {
      auto moved = best;
      moved.coefficients[k] = std::max(0.0, moved.coefficients[k] + step);
      EXPECT_LE(value(best), value(moved) + 1e-12);
    }
  }
}

TEST(PoolTest, FewRowsStayNearThePrior) {
  const std::vector<std::vector<double>> scores = {{3, 0}, {-3, 0}};
  const std::vector<std::int32_t> labels = {0};
  const std::array prior = {0.5, 0.5};
  const auto pool = fit_pool(scores, Targets::of_classes(labels, 2), prior);
  EXPECT_NEAR(pool.coefficients[0], 0.5, 0.5);
  EXPECT_NEAR(pool.coefficients[1], 0.5, 0.5);
}

TEST(PoolTest, CrossEntropyIsThatOfTheSoftmax) {
  const std::vector<double> logits = {std::log(0.2), std::log(0.8), 1000, 0};
  const std::vector<std::int32_t> labels = {0, 0};
  EXPECT_NEAR(cross_entropy(logits, Targets::of_classes(labels, 2)), -std::log(0.2) / 2, 1e-12);
}

struct LabelSample {
  std::vector<double> scores;  // [rows, classes]
  Targets targets;
};

// Labels drawn from sigmoid(scores).
LabelSample label_sample(std::size_t rows, std::int32_t classes) {
  std::mt19937_64 random(6);
  std::normal_distribution<double> normal(-1, 2);
  std::uniform_real_distribution<double> uniform;
  LabelSample result{.scores = {}, .targets = {.classes = classes, .several = true}};
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<std::int32_t> labels;
    for (std::int32_t c = 0; c < classes; ++c) {
      result.scores.push_back(normal(random));
      if (uniform(random) < sigmoid(result.scores.back())) labels.push_back(c);
    }
    result.targets.add(labels);
  }
  return result;
}

TEST(SigmoidPoolTest, TemperatureAndBiasAreFoundAgain) {
  const auto data = label_sample(20000, 4);
  auto moved = times(data.scores, 5);
  for (auto& score : moved) score += 3;
  const std::array prior = {1.0};
  const auto pool = fit_pool({moved}, data.targets, prior);
  EXPECT_NEAR(pool.coefficients[0], 0.2, 0.005);
  EXPECT_NEAR(pool.bias, -0.6, 0.02);
}

TEST(SigmoidPoolTest, AMemberThatIsWrongGetsNoWeight) {
  const auto data = label_sample(5000, 3);
  auto noise = times(data.scores, -0.2);
  std::rotate(noise.begin(), noise.begin() + 3, noise.end());
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] -= 0.05 * data.scores[i];
  const std::array prior = {0.5, 0.5};
  const auto pool = fit_pool({data.scores, noise}, data.targets, prior);
  EXPECT_NEAR(pool.coefficients[0], 1, 0.05);
  EXPECT_NEAR(pool.coefficients[1], 0, 0.1);
  EXPECT_GE(pool.coefficients[1], 0);
}

TEST(SigmoidPoolTest, TheResultIsTheSmallestValue) {
  const auto data = label_sample(300, 3);
  const auto scores = two_members(data.scores);
  const std::array prior = {0.3, 0.6};
  const auto value = [&](const Pool& pool) { return objective(pool, scores, data.targets, prior); };
  const auto best = fit_pool(scores, data.targets, prior);
  for (const double step : {-1e-3, 1e-3}) {
    for (std::size_t k = 0; k < 3; ++k) {
      auto moved = best;
      auto& one = k == 2 ? moved.bias : moved.coefficients[k];
      one += step;
      if (k < 2) one = std::max(0.0, one);
      EXPECT_LE(value(best), value(moved) + 1e-9);
    }
  }
}

TEST(SigmoidPoolTest, CrossEntropyIsTheSumOverTheLabels) {
  Targets targets{.classes = 3, .several = true};
  targets.add(std::vector<std::int32_t>{0, 2});
  const std::vector<double> logits = {std::log(3.0), 1000, -1000};
  // -ln(3/4), and 1000 for each label that is wrong.
  EXPECT_NEAR(cross_entropy(logits, targets), -std::log(0.75) + 2000, 1e-9);
}

// Labels without positives and rows without labels give finite pools.
TEST(SigmoidPoolTest, NoLabelAtAllIsNoFault) {
  Targets targets{.classes = 2, .several = true};
  for (int i = 0; i < 4; ++i) targets.add({});
  const std::array prior = {0.5};
  const auto pool = fit_pool({std::vector<double>(8, -1)}, targets, prior);
  EXPECT_TRUE(std::isfinite(pool.bias) && std::isfinite(pool.coefficients[0]));
  EXPECT_LT(pool.bias, 0);
}

}  // namespace
}  // namespace fastformer::linear

#include "fastformer/linear/pool.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
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
  const auto pool = fit_pool({times(data.scores, 5)}, data.labels, 4, prior);
  EXPECT_NEAR(pool.coefficients[0], 0.2, 0.01);
}

TEST(PoolTest, AMemberThatKnowsNothingGetsNoWeight) {
  const auto data = sample(20000, 3);
  auto noise = sample(20000, 3).scores;
  std::rotate(noise.begin(), noise.begin() + 3, noise.end());  // the scores of another row
  const std::array prior = {0.5, 0.5};
  const auto pool = fit_pool({data.scores, times(noise, -1)}, data.labels, 3, prior);
  EXPECT_NEAR(pool.coefficients[0], 1, 0.05);
  EXPECT_NEAR(pool.coefficients[1], 0, 0.03);
  EXPECT_GE(pool.coefficients[1], 0);
}

TEST(PoolTest, TheResultIsTheSmallestValue) {
  const auto data = sample(500, 3);
  auto other = times(data.scores, 0.3);
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  for (auto& score : other) score += normal(random);
  const std::vector<std::vector<double>> scores = {times(data.scores, 2), other};
  const std::array prior = {0.3, 0.6};
  const auto value = [&](const std::vector<double>& a) {
    double penalty = 0;
    for (std::size_t k = 0; k < 2; ++k) penalty += std::pow(a[k] / prior[k] - 1, 2);
    return cross_entropy(Pool{a}.logits(scores), data.labels, 3) + penalty / 500;
  };
  const auto best = fit_pool(scores, data.labels, 3, prior).coefficients;
  for (const double step : {-1e-3, 1e-3}) {
    for (std::size_t k = 0; k < 2; ++k) {
      auto moved = best;
      moved[k] = std::max(0.0, moved[k] + step);
      EXPECT_LE(value(best), value(moved) + 1e-12);
    }
  }
}

TEST(PoolTest, FewRowsStayNearThePrior) {
  const std::vector<std::vector<double>> scores = {{3, 0}, {-3, 0}};
  const std::vector<std::int32_t> labels = {0};
  const std::array prior = {0.5, 0.5};
  const auto pool = fit_pool(scores, labels, 2, prior);
  EXPECT_NEAR(pool.coefficients[0], 0.5, 0.5);
  EXPECT_NEAR(pool.coefficients[1], 0.5, 0.5);
}

TEST(PoolTest, CrossEntropyIsThatOfTheSoftmax) {
  const std::vector<double> logits = {std::log(0.2), std::log(0.8), 1000, 0};
  const std::vector<std::int32_t> labels = {0, 0};
  EXPECT_NEAR(cross_entropy(logits, labels, 2), -std::log(0.2) / 2, 1e-12);
}

}  // namespace
}  // namespace fastformer::linear

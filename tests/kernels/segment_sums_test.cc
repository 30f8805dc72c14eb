#include "fastformer/kernels/segment_sums.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace fastformer::kernels {
namespace {

TEST(SegmentSums, SoftmaxSubtractsTheMaximum) {
  std::vector<float> logits = {1e4F, 1e4F, -1e4F};
  segment_softmax(logits.data(), 3);
  EXPECT_EQ(logits, (std::vector<float>{0.5F, 0.5F, 0.0F}));
}

TEST(SegmentSums, SumsAndGradientsEqualTheDefinition) {
  const std::vector<double> x = {1, 2, 3, 4, 5, 6}, g = {0.5, -1};  // 3 rows of 2
  std::vector<double> logits = {0.1, -0.3, 0.7};
  const auto loss = [&](const std::vector<double>& rows, std::vector<double> weights) {
    std::vector<double> sum(2);
    segment_softmax(weights.data(), 3);
    segment_sum(rows.data(), weights.data(), 3, 2, sum.data());
    return sum[0] * g[0] + sum[1] * g[1];
  };
  auto weights = logits;
  segment_softmax(weights.data(), 3);
  EXPECT_NEAR(weights[1] / weights[0], std::exp(-0.4), 1e-15);
  std::vector<double> sum(2), dx(6), dlogits(3);
  segment_sum(x.data(), weights.data(), 3, 2, sum.data());
  segment_sum_backward(x.data(), weights.data(), sum.data(), g.data(), 3, 2, dx.data(),
                       dlogits.data());
  constexpr double kStep = 1e-6;
  for (std::size_t i = 0; i < 6; ++i) {
    auto above = x, below = x;
    above[i] += kStep;
    below[i] -= kStep;
    EXPECT_NEAR(dx[i], (loss(above, logits) - loss(below, logits)) / (2 * kStep), 1e-8);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    auto above = logits, below = logits;
    above[i] += kStep;
    below[i] -= kStep;
    EXPECT_NEAR(dlogits[i], (loss(x, above) - loss(x, below)) / (2 * kStep), 1e-8);
  }
}

TEST(SegmentSums, NoRowsSumToZero) {
  std::vector<float> sum = {7, 7};
  segment_softmax<float>(nullptr, 0);
  segment_sum<float>(nullptr, nullptr, 0, 2, sum.data());
  EXPECT_EQ(sum, (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace fastformer::kernels

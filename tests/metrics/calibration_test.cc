#include "fastformer/metrics/calibration.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <vector>

namespace fastformer::metrics {
namespace {

TEST(CalibrationTest, IsTheMeanDistanceOfTheGroups) {
  // Two groups of two: |0.6 - 0.5| and |0.9 - 0.5|, in any order.
  const std::array confidence = {1.0, 0.5, 0.8, 0.7};
  const std::array<std::uint8_t, 4> right = {0, 1, 1, 0};
  EXPECT_NEAR(expected_calibration_error(confidence, right, 2), (0.1 + 0.4) / 2, 1e-12);
  EXPECT_EQ(expected_calibration_error({}, {}), 0);
}

TEST(CalibrationTest, CalibratedPredictionsHaveNoError) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform;
  constexpr std::size_t kCount = 60000;
  std::vector<double> confidence;
  std::vector<std::uint8_t> right;
  for (std::size_t i = 0; i < kCount; ++i) {
    confidence.push_back(0.5 + uniform(random) / 2);
    right.push_back(uniform(random) < confidence.back());
  }
  EXPECT_LT(expected_calibration_error(confidence, right), 0.01);
  for (auto& value : confidence) value = 1;
  EXPECT_NEAR(expected_calibration_error(confidence, right), 0.25, 0.01);
}

}  // namespace
}  // namespace fastformer::metrics

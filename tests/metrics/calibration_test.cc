#include "fastformer/metrics/calibration.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <random>
#include <span>
#include <vector>

namespace fastformer::metrics {
namespace {

TEST(CalibrationTest, IsTheMeanDistanceOfTheGroups) {
  // Two groups of two: |0.6 - 0.5| and |0.9 - 0.5|, in any order.
  const std::array confidence = {1.0, 0.5, 0.8, 0.7};
  const std::array right = {false, true, true, false};
  EXPECT_NEAR(expected_calibration_error(confidence, right, 2), (0.1 + 0.4) / 2, 1e-12);
  EXPECT_EQ(expected_calibration_error({}, {}), 0);
}

TEST(CalibrationTest, CalibratedPredictionsHaveNoError) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform;
  constexpr std::size_t kCount = 60000;
  std::vector<double> confidence;
  const auto right = std::make_unique<bool[]>(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    confidence.push_back(0.5 + uniform(random) / 2);
    right[i] = uniform(random) < confidence.back();
  }
  const std::span<const bool> hits(right.get(), kCount);
  EXPECT_LT(expected_calibration_error(confidence, hits), 0.01);
  for (auto& value : confidence) value = 1;
  EXPECT_NEAR(expected_calibration_error(confidence, hits), 0.25, 0.01);
}

}  // namespace
}  // namespace fastformer::metrics

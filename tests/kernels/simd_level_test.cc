#include "fastformer/kernels/simd_level.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace fastformer::kernels {
namespace {

TEST(SimdLevel, TakesTheBestUnlessTold) {
  const auto levels = simd_levels();
  ASSERT_FALSE(levels.empty());
  EXPECT_EQ(simd_level(), levels.front());
  for (const auto& level : levels) {
    set_simd_level(level);
    EXPECT_EQ(simd_level(), level);
    EXPECT_EQ(simd_levels(), levels);
  }
  set_simd_level("");
  EXPECT_EQ(simd_level(), levels.front());
}

TEST(SimdLevel, RefusesANameItDoesNotKnowAndNamesThoseItDoes) {
  try {
    set_simd_level("AVX9");
    FAIL();
  } catch (const std::invalid_argument& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("'AVX9'"), std::string::npos) << message;
    EXPECT_NE(message.find(simd_levels().front()), std::string::npos) << message;
  }
  EXPECT_EQ(simd_level(), simd_levels().front());
}

}  // namespace
}  // namespace fastformer::kernels

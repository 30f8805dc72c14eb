#include "fastformer/kernels/dropout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "fastformer/kernels/simd_level.h"

namespace fastformer::kernels {
namespace {

constexpr DropoutRule kRule{0x0123456789ABCDEFULL, 0.25};

template <class Real>
std::vector<Real> masks(std::int64_t count, const DropoutRule& rule, std::int64_t first = 0) {
  const std::vector<Real> ones(count, 1);
  std::vector<Real> out(count);
  dropout_add<Real>(ones.data(), nullptr, count, rule, first, out.data());
  return out;
}

double share_kept(const std::vector<float>& mask) {
  return std::accumulate(mask.begin(), mask.end(), 0.0,
                         [](double sum, float value) { return sum + (value != 0 ? 1 : 0); }) /
         static_cast<double>(mask.size());
}

class Dropout : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_simd_level(GetParam()); }
  void TearDown() override { set_simd_level(""); }
};

// Double precision is computed one by one from the definition: the reference of the vectors.
TEST_P(Dropout, KeepsTheSameNumbersAtEveryLevelAndSize) {
  for (std::int64_t count = 0; count <= 130; ++count) {
    const auto floats = masks<float>(count, kRule, 1000);
    const auto reference = masks<double>(count, kRule, 1000);
    for (std::int64_t i = 0; i < count; ++i) {
      ASSERT_EQ(floats[i], static_cast<float>(reference[i])) << i << " of " << count;
    }
  }
}

TEST_P(Dropout, DoesNotDependOnHowAnArrayIsCut) {
  const auto whole = masks<float>(5000, kRule);
  for (const std::int64_t cut : {1, 7, 16, 1023}) {
    const auto tail = masks<float>(5000 - cut, kRule, cut);
    EXPECT_TRUE(std::equal(tail.begin(), tail.end(), whole.begin() + cut)) << cut;
  }
}

TEST_P(Dropout, GoesOnBehindFourBillion) {
  const std::int64_t border = std::int64_t{1} << 32;
  const auto around = masks<float>(200, kRule, border - 100);
  EXPECT_EQ(masks<float>(100, kRule, border),
            std::vector<float>(around.begin() + 100, around.end()));
  EXPECT_NE(masks<float>(100, kRule, border), masks<float>(100, kRule, 0));
}

TEST_P(Dropout, AddsTheResidualAndMayWriteInPlace) {
  std::vector<float> x(77), residual(77);
  std::iota(x.begin(), x.end(), 1.0F);
  std::iota(residual.begin(), residual.end(), -40.0F);
  const auto mask = masks<float>(77, kRule, 5);
  auto expected = residual;
  for (std::size_t i = 0; i < x.size(); ++i) expected[i] += mask[i] != 0 ? x[i] * mask[i] : 0;
  dropout_add(x.data(), residual.data(), 77, kRule, 5, x.data());
  EXPECT_EQ(x, expected);
}

INSTANTIATE_TEST_SUITE_P(SimdLevels, Dropout, ::testing::ValuesIn(simd_levels()),
                         [](const auto& level) { return level.param; });

TEST(DropoutRule, KeepsTheShareItIsToldAndScalesIt) {
  for (const double rate : {0.0, 0.1, 0.5, 0.9}) {
    const auto mask = masks<float>(1 << 20, {42, rate});
    EXPECT_NEAR(share_kept(mask), 1 - rate, 4 * std::sqrt(0.25 / (1 << 20)) + 1e-9);
    for (const auto value : mask) {
      ASSERT_TRUE(value == 0 || value == static_cast<float>(1 / (1 - rate))) << value;
    }
  }
}

// Neighbours in an array, equal places under two seeds, and rows of a matrix 256 wide: each pair
// must be kept together as often as chance has it.
TEST(DropoutRule, KeepsNumbersIndependently) {
  const std::int64_t count = 1 << 20;
  const double expected = 0.25, tolerance = 5 * std::sqrt(expected * (1 - expected) / count);
  const auto together = [&](const auto& a, const auto& b, std::int64_t shift) {
    std::int64_t both = 0;
    for (std::int64_t i = 0; i + shift < count; ++i) both += a[i] != 0 && b[i + shift] != 0 ? 1 : 0;
    return static_cast<double>(both) / static_cast<double>(count - shift);
  };
  for (const std::uint64_t seed : {1ULL, 2ULL, 0xDEADBEEF00000001ULL}) {
    const auto mask = masks<float>(count, {seed, 0.5});
    for (const std::int64_t shift : {1, 2, 3, 16, 255, 256, 257, 65536}) {
      EXPECT_NEAR(together(mask, mask, shift), expected, tolerance) << seed << " " << shift;
    }
    for (const std::uint64_t other : {seed + 1, seed + (std::uint64_t{1} << 32), ~seed}) {
      EXPECT_NEAR(together(mask, masks<float>(count, {other, 0.5}), 0), expected, tolerance);
    }
  }
}

}  // namespace
}  // namespace fastformer::kernels

#include "fastformer/kernels/bf16_product.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "fastformer/kernels/blas_product.h"
#include "kernels/product_reference.h"

namespace fastformer::kernels {
namespace {

// bf16 by its definition: the nearest number with 8 significant bits, the even one of two.
double nearest(float value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double unit = std::ldexp(1.0, std::ilogb(value) - 7);
  return std::nearbyint(value / unit) * unit;
}

using Product = void (*)(Transpose, Transpose, std::int64_t, std::int64_t, std::int64_t,
                         const float*, std::int64_t, const float*, std::int64_t, Start<float>,
                         float*, std::int64_t);

class Bf16Product : public ::testing::TestWithParam<Product> {};

TEST_P(Bf16Product, EqualsTheSumsOfRoundedOperands) {
  for (const auto a : {Transpose::kNo, Transpose::kYes}) {
    for (const auto b : {Transpose::kNo, Transpose::kYes}) {
      const auto check = [&](std::int64_t m, std::int64_t n, std::int64_t k) {
        const Problem p{m, n, k, a, b};
        for (const auto begin : kBegins) {
          EXPECT_LE(largest_error<float>(p, begin, GetParam(), nearest), 1e-5)
              << m << " " << n << " " << k;
        }
      };
      for (const std::int64_t m : {0, 1, 2, 5, 11, 12, 13, 27, 241}) {
        for (const std::int64_t n : {1, 7, 16, 31, 32, 33, 65}) {
          for (const std::int64_t k : {0, 1, 2, 9, 15, 16, 17, 64}) check(m, n, k);
        }
      }
      check(37, 300, 1030);
      check(500, 16, 513);
    }
  }
}

TEST_P(Bf16Product, RoundsTiesToEvenAndKeepsWhatIsNotANumber) {
  const float tie_down = 1.0F + 1.0F / 256, tie_up = 1.0F + 3.0F / 256;
  const std::vector<float> a = {tie_down, tie_up, std::numeric_limits<float>::quiet_NaN(),
                                std::numeric_limits<float>::infinity()};
  const std::vector<float> one = {1};
  std::vector<float> c(4);
  GetParam()(Transpose::kNo, Transpose::kNo, 4, 1, 1, a.data(), 1, one.data(), 1, {}, c.data(), 1);
  EXPECT_EQ(c[0], 1.0F);
  EXPECT_EQ(c[1], 1.0F + 4.0F / 256);
  EXPECT_TRUE(std::isnan(c[2]));
  EXPECT_TRUE(std::isinf(c[3]));
}

std::string name_of(const ::testing::TestParamInfo<Product>& way) {
  constexpr std::array kNames = {"best", "portable", "blas"};
  return kNames[way.index];
}

INSTANTIATE_TEST_SUITE_P(Ways, Bf16Product,
                         ::testing::Values(bf16_product, bf16_product_portable, blas_bf16_product),
                         name_of);

}  // namespace
}  // namespace fastformer::kernels

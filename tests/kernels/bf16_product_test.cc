#include "fastformer/kernels/bf16_product.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace fastformer::kernels {
namespace {

// bf16 by its definition: the nearest number with 8 significant bits, the even one of two.
double nearest(float value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double unit = std::ldexp(1.0, std::ilogb(value) - 7);
  return std::nearbyint(value / unit) * unit;
}

struct Problem {
  std::int64_t m, n, k;
  Transpose a, b;
};

using Product = void (*)(Transpose, Transpose, std::int64_t, std::int64_t, std::int64_t,
                         const float*, std::int64_t, const float*, std::int64_t, Start<float>,
                         float*, std::int64_t);

std::vector<float> random_values(std::int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (auto& value : values) value = normal(generator);
  return values;
}

// The largest difference from sums in double precision of the rounded operands.
double largest_error(Product product, const Problem& p, bool keep, bool from_row) {
  constexpr std::int64_t kGap = 3;
  const bool left = p.a == Transpose::kYes, right = p.b == Transpose::kYes;
  const auto lda = (left ? p.m : p.k) + kGap, ldb = (right ? p.k : p.n) + kGap, ldc = p.n + kGap;
  const auto a = random_values((left ? p.k : p.m) * lda, 1);
  const auto b = random_values((right ? p.n : p.k) * ldb, 2);
  const auto before = random_values(p.m * ldc, 3), row = random_values(p.n, 4);
  auto c = before;
  product(p.a, p.b, p.m, p.n, p.k, a.data(), lda, b.data(), ldb,
          {.row = from_row ? row.data() : nullptr, .keep = keep}, c.data(), ldc);
  double largest = 0;
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < ldc; ++j) {
      double sum = keep || j >= p.n ? before[i * ldc + j] : 0;
      if (from_row && j < p.n) sum = row[j];
      for (std::int64_t l = 0; j < p.n && l < p.k; ++l) {
        const double one = nearest(left ? a[l * lda + i] : a[i * lda + l]);
        sum += one * nearest(right ? b[j * ldb + l] : b[l * ldb + j]);
      }
      largest = std::max(largest, std::abs(c[i * ldc + j] - sum));
    }
  }
  return largest / std::sqrt(static_cast<double>(p.k + 1));
}

class Bf16Product : public ::testing::TestWithParam<Product> {};

TEST_P(Bf16Product, EqualsTheSumsOfRoundedOperands) {
  for (const auto a : {Transpose::kNo, Transpose::kYes}) {
    for (const auto b : {Transpose::kNo, Transpose::kYes}) {
      const auto check = [&](std::int64_t m, std::int64_t n, std::int64_t k) {
        const Problem p{m, n, k, a, b};
        for (const auto& [keep, row] : {std::pair(false, false), {true, false}, {false, true}}) {
          EXPECT_LE(largest_error(GetParam(), p, keep, row), 1e-5) << m << " " << n << " " << k;
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

INSTANTIATE_TEST_SUITE_P(Ways, Bf16Product, ::testing::Values(bf16_product, bf16_product_portable),
                         [](const auto& way) { return way.index == 0 ? "best" : "portable"; });

}  // namespace
}  // namespace fastformer::kernels

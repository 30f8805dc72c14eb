#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "fastformer/kernels/products/bf16_product.h"
#include "kernels/products/product_reference.h"

/// What every product of gemm.h must do, and every one with operands rounded to bf16.
namespace fastformer::kernels {

template <class Check>
void for_each_problem(const Check& check) {
  for (const auto a : {Transpose::kNo, Transpose::kYes}) {
    for (const auto b : {Transpose::kNo, Transpose::kYes}) {
      for (const std::int64_t m : {0, 1, 2, 5, 11, 12, 13, 27, 241}) {
        for (const std::int64_t n : {1, 7, 16, 31, 33, 64}) {
          for (const std::int64_t k : {0, 1, 9, 64}) check(Problem{m, n, k, a, b});
        }
      }
      check(Problem{37, 300, 530, a, b});
      check(Problem{500, 16, 257, a, b});
    }
  }
}

template <class Real, class Multiply>
void expect_product(const Multiply& multiply, double tolerance) {
  for_each_problem([&](const Problem& p) {
    for (const auto begin : kBegins) {
      EXPECT_LE(largest_error<Real>(p, begin, multiply), tolerance)
          << p.m << " x " << p.n << " x " << p.k;
    }
  });
}

/// bf16 by its definition: the nearest number with 8 significant bits, the even one of two.
inline double nearest_bf16(float value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double unit = std::ldexp(1.0, std::ilogb(value) - 7);
  return std::nearbyint(value / unit) * unit;
}

/// Also for an odd depth and for strips that are not whole.
inline void expect_sums_of_rounded_operands(Bf16Way multiply) {
  for (const auto a : {Transpose::kNo, Transpose::kYes}) {
    for (const auto b : {Transpose::kNo, Transpose::kYes}) {
      const auto check = [&](std::int64_t m, std::int64_t n, std::int64_t k) {
        const Problem p{m, n, k, a, b};
        for (const auto begin : kBegins) {
          EXPECT_LE(largest_error<float>(p, begin, multiply, nearest_bf16), 1e-5)
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

/// Numbers that are not finite stay so.
inline void expect_ties_to_even(Bf16Way multiply) {
  const float tie_down = 1.0F + 1.0F / 256, tie_up = 1.0F + 3.0F / 256;
  const std::vector<float> a = {tie_down, tie_up, std::numeric_limits<float>::quiet_NaN(),
                                std::numeric_limits<float>::infinity()};
  const std::vector<float> one = {1};
  std::vector<float> c(4);
  multiply(Transpose::kNo, Transpose::kNo, 4, 1, 1, a.data(), 1, one.data(), 1, {}, c.data(), 1);
  EXPECT_EQ(c[0], 1.0F);
  EXPECT_EQ(c[1], 1.0F + 4.0F / 256);
  EXPECT_TRUE(std::isnan(c[2]));
  EXPECT_TRUE(std::isinf(c[3]));
}

}  // namespace fastformer::kernels

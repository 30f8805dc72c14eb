#include "fastformer/kernels/matrix_product.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "fastformer/kernels/blas_product.h"
#include "fastformer/kernels/simd_level.h"

namespace fastformer::kernels {
namespace {

struct Problem {
  std::int64_t m, n, k;
  Transpose a, b;
};

enum class Begin { kZero, kRow, kKeep };
constexpr std::array kBegins = {Begin::kZero, Begin::kRow, Begin::kKeep};

template <class Real>
std::vector<Real> random_values(std::int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<Real> values(count);
  for (auto& value : values) value = normal(generator);
  return values;
}

// Rows are stored further apart than they are long, and what lies between must stay.
constexpr std::int64_t kGap = 3;

template <class Real, class Multiply>
double largest_error(const Problem& p, Begin begin, const Multiply& multiply) {
  const bool left = p.a == Transpose::kYes, right = p.b == Transpose::kYes;
  const auto lda = (left ? p.m : p.k) + kGap, ldb = (right ? p.k : p.n) + kGap, ldc = p.n + kGap;
  const auto a = random_values<Real>((left ? p.k : p.m) * lda, 1);
  const auto b = random_values<Real>((right ? p.n : p.k) * ldb, 2);
  const auto before = random_values<Real>(p.m * ldc, 3);
  const auto row = random_values<Real>(p.n, 4);
  Start<Real> start;
  if (begin == Begin::kRow) start.row = row.data();
  start.keep = begin == Begin::kKeep;
  auto c = before;
  multiply(p.a, p.b, p.m, p.n, p.k, a.data(), lda, b.data(), ldb, start, c.data(), ldc);
  double largest = 0;
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < ldc; ++j) {
      double sum = start.keep || j >= p.n ? before[i * ldc + j] : 0;
      if (begin == Begin::kRow && j < p.n) sum = row[j];
      for (std::int64_t l = 0; j < p.n && l < p.k; ++l) {
        const double one = left ? a[l * lda + i] : a[i * lda + l];
        sum += one * (right ? b[j * ldb + l] : b[l * ldb + j]);
      }
      largest = std::max(largest, std::abs(c[i * ldc + j] - sum));
    }
  }
  return largest / std::sqrt(static_cast<double>(p.k + 1));
}

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

class MatrixProduct : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_simd_level(GetParam()); }
  void TearDown() override { set_simd_level(""); }
};

TEST_P(MatrixProduct, EqualsTheDefinition) {
  for_each_problem([](const Problem& p) {
    for (const auto begin : kBegins) {
      EXPECT_LE((largest_error<float>(p, begin, matrix_product<float>)), 1e-5)
          << p.m << " x " << p.n << " x " << p.k;
    }
    EXPECT_LE((largest_error<double>(p, Begin::kKeep, matrix_product<double>)), 1e-13);
  });
}

INSTANTIATE_TEST_SUITE_P(SimdLevels, MatrixProduct, ::testing::ValuesIn(simd_levels()),
                         [](const auto& level) { return level.param; });

// CPUs of Intel take this one, the others do not: it is tested on all.
TEST(BlasProduct, EqualsTheDefinition) {
  for_each_problem([](const Problem& p) {
    for (const auto begin : kBegins) {
      EXPECT_LE((largest_error<float>(p, begin, blas_product<float>)), 1e-5);
    }
    EXPECT_LE((largest_error<double>(p, Begin::kRow, blas_product<double>)), 1e-13);
  });
}

// Whichever of them it calls on this CPU.
TEST(Gemm, EqualsTheDefinition) {
  for_each_problem([](const Problem& p) {
    const auto multiply = [](auto... arguments) { gemm(arguments...); };
    for (const auto begin : kBegins) EXPECT_LE(largest_error<float>(p, begin, multiply), 1e-5);
    EXPECT_LE(largest_error<double>(p, Begin::kRow, multiply), 1e-13);
  });
}

}  // namespace
}  // namespace fastformer::kernels

#include "fastformer/kernels/matrix_product.h"

#include <gtest/gtest.h>

#include <string>

#include "fastformer/kernels/blas_product.h"
#include "fastformer/kernels/simd_level.h"
#include "kernels/product_reference.h"

namespace fastformer::kernels {
namespace {

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

#include "fastformer/kernels/products/matrix_product.h"

#include <gtest/gtest.h>

#include <string>

#include "fastformer/kernels/simd_level.h"
#include "kernels/products/product_check.h"

namespace fastformer::kernels {
namespace {

class MatrixProduct : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_simd_level(GetParam()); }
  void TearDown() override { set_simd_level(""); }
};

TEST_P(MatrixProduct, EqualsTheDefinition) {
  expect_product<float>(matrix_product<float>, 1e-5);
  expect_product<double>(matrix_product<double>, 1e-13);
}

INSTANTIATE_TEST_SUITE_P(SimdLevels, MatrixProduct, ::testing::ValuesIn(simd_levels()),
                         [](const auto& level) { return level.param; });

// Whichever of them it calls on this CPU.
TEST(Gemm, EqualsTheDefinition) {
  const auto multiply = [](auto... arguments) { gemm(arguments...); };
  expect_product<float>(multiply, 1e-5);
  expect_product<double>(multiply, 1e-13);
}

}  // namespace
}  // namespace fastformer::kernels

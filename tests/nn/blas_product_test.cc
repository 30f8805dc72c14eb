// LibTorch brings the BLAS. CPUs of Intel take it, the others do not: it is tested on all.
#include "fastformer/kernels/products/blas_product.h"

#include <gtest/gtest.h>

#include "kernels/products/product_check.h"

namespace fastformer::kernels {
namespace {

TEST(BlasProduct, EqualsTheDefinition) {
  ASSERT_TRUE(has_blas());
  expect_product<float>(blas_product<float>, 1e-5);
  expect_product<double>(blas_product<double>, 1e-13);
}

// Whichever of them it calls on this CPU, now that there is a BLAS.
TEST(BlasProduct, TheChosenProductEqualsTheDefinition) {
  const auto multiply = [](auto... arguments) { gemm(arguments...); };
  expect_product<float>(multiply, 1e-5);
  expect_product<double>(multiply, 1e-13);
  expect_sums_of_rounded_operands(bf16_product);
}

}  // namespace
}  // namespace fastformer::kernels

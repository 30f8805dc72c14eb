#include "fastformer/kernels/products/bf16_product.h"

#include <gtest/gtest.h>

#include "kernels/products/product_check.h"

namespace fastformer::kernels {
namespace {

TEST(Bf16Product, EqualsTheSumsOfRoundedOperands) {
  expect_sums_of_rounded_operands(bf16_product);
  expect_sums_of_rounded_operands(bf16_product_portable);
}

TEST(Bf16Product, RoundsTiesToEvenAndKeepsWhatIsNotANumber) {
  expect_ties_to_even(bf16_product);
  expect_ties_to_even(bf16_product_portable);
}

}  // namespace
}  // namespace fastformer::kernels

#include "fastformer/kernels/products/bf16_product.h"

#include <gtest/gtest.h>

#include "kernels/products/product_check.h"

namespace fastformer::kernels {
namespace {

TEST(Bf16Product, EqualsTheSumsOfRoundedOperands) {
  for (const auto way : bf16_ways()) expect_sums_of_rounded_operands(way);
}

TEST(Bf16Product, RoundsTiesToEvenAndKeepsWhatIsNotANumber) {
  for (const auto way : bf16_ways()) expect_ties_to_even(way);
}

}  // namespace
}  // namespace fastformer::kernels

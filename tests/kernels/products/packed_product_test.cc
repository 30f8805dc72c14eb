#include "fastformer/kernels/products/packed_product.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fastformer/kernels/simd_level.h"
#include "kernels/products/product_check.h"

namespace fastformer::kernels {
namespace {

class PackedProduct : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_simd_level(GetParam()); }
  void TearDown() override { set_simd_level(""); }
};

TEST_P(PackedProduct, EqualsTheDefinition) {
  const auto multiply = [](Transpose /*a*/, Transpose b, auto m, auto n, auto k, const float* left,
                           auto lda, const float* right, auto ldb, Start<float> start, float* c,
                           auto ldc) {
    PackedMatrix::of(b, right, ldb, k, n).multiply(m, left, lda, start, c, ldc);
  };
  for_each_problem([&](const Problem& p) {
    if (p.a == Transpose::kYes) return;  // rows are read as they are stored
    for (const auto begin : kBegins) {
      EXPECT_LE(largest_error<float>(p, begin, multiply), 1e-5)
          << p.m << " x " << p.n << " x " << p.k;
    }
  });
}

TEST_P(PackedProduct, ARowDoesNotDependOnTheOthers) {
  constexpr std::int64_t kRows = 37, kDepth = 70, kColumns = 45;
  const auto a = random_values<float>(kRows * kDepth, 1);
  const auto b = random_values<float>(kDepth * kColumns, 2);
  const auto packed = PackedMatrix::of(Transpose::kNo, b.data(), kColumns, kDepth, kColumns);
  std::vector<float> all(kRows * kColumns), one(kColumns);
  packed.multiply(kRows, a.data(), kDepth, {}, all.data(), kColumns);
  for (std::int64_t i = 0; i < kRows; ++i) {
    packed.multiply(1, &a[i * kDepth], kDepth, {}, one.data(), kColumns);
    for (std::int64_t j = 0; j < kColumns; ++j) EXPECT_EQ(one[j], all[i * kColumns + j]);
  }
}

TEST_P(PackedProduct, ComposesScaledRowsAndASecondMatrix) {
  for (const std::int64_t depth : {1, 9, 64}) {
    for (const std::int64_t columns : {1, 16, 33}) {
      const auto first = random_values<float>(depth * columns, 1);
      const auto second = random_values<float>(depth * columns, 2);
      const auto scale = random_values<float>(depth, 3);
      auto sum = second;
      for (std::int64_t i = 0; i < depth * columns; ++i) sum[i] += scale[i / columns] * first[i];
      const auto pack = [&](const std::vector<float>& b) {
        return PackedMatrix::of(Transpose::kNo, b.data(), columns, depth, columns);
      };
      PackedMatrix composed;
      composed.compose(pack(first), scale.data(), pack(second));
      const auto rows = random_values<float>(5 * depth, 4);
      std::vector<float> expected(5 * columns), found(5 * columns);
      pack(sum).multiply(5, rows.data(), depth, {}, expected.data(), columns);
      composed.multiply(5, rows.data(), depth, {}, found.data(), columns);
      for (std::int64_t i = 0; i < 5 * columns; ++i) EXPECT_NEAR(found[i], expected[i], 1e-4);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(SimdLevels, PackedProduct, ::testing::ValuesIn(simd_levels()),
                         [](const auto& level) { return level.param; });

}  // namespace
}  // namespace fastformer::kernels

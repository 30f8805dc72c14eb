#include "fastformer/kernels/row_dots.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fastformer/kernels/simd_level.h"
#include "kernels/products/product_reference.h"

namespace fastformer::kernels {
namespace {

class RowDots : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_simd_level(GetParam()); }
  void TearDown() override { set_simd_level(""); }
};

TEST_P(RowDots, EqualsTheDefinition) {
  for (const std::int64_t width : {1, 3, 16, 40, 64, 77}) {
    for (const std::int64_t n : {0, 1, 5}) {
      const auto x = random_values<float>(n * width, 1), w = random_values<float>(width, 2);
      std::vector<float> y(n);
      row_dots(x.data(), w.data(), 0.5F, n, width, y.data());
      for (std::int64_t i = 0; i < n; ++i) {
        double sum = 0.5;
        for (std::int64_t c = 0; c < width; ++c) sum += double{x[i * width + c]} * w[c];
        EXPECT_NEAR(y[i], sum, 2e-5);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(SimdLevels, RowDots, ::testing::ValuesIn(simd_levels()),
                         [](const auto& level) { return level.param; });

}  // namespace
}  // namespace fastformer::kernels

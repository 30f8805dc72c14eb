#include "fastformer/kernels/products/int8_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "fastformer/kernels/simd_level.h"
#include "kernels/products/product_reference.h"

namespace fastformer::kernels {
namespace {

// Quantization by its definition.
struct Quantized {
  std::vector<int> values;
  std::vector<float> scales;
};

Quantized quantized(const std::vector<float>& x, std::int64_t rows, std::int64_t columns) {
  Quantized result;
  for (std::int64_t i = 0; i < rows; ++i) {
    float most = 0;
    for (std::int64_t c = 0; c < columns; ++c) most = std::max(most, std::abs(x[i * columns + c]));
    result.scales.push_back(most / 127);
    for (std::int64_t c = 0; c < columns; ++c) {
      const float inverse = most > 0 ? 127 / most : 0;
      result.values.push_back(static_cast<int>(std::nearbyint(x[i * columns + c] * inverse)));
    }
  }
  return result;
}

class Int8Rows : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_simd_level(GetParam()); }
  void TearDown() override { set_simd_level(""); }
};

TEST_P(Int8Rows, RoundsToTheNearest) {
  for (const std::int64_t columns : {1, 3, 16, 37, 64}) {
    auto x = random_values<float>(5 * columns, 1);
    std::fill_n(x.begin() + columns, columns, 0.0F);
    const auto expected = quantized(x, 5, columns);
    std::vector<std::int8_t> found(5 * columns);
    std::vector<float> scales(5);
    quantize_rows(x.data(), 5, columns, found.data(), scales.data());
    EXPECT_EQ(std::vector<int>(found.begin(), found.end()), expected.values);
    EXPECT_EQ(scales, expected.scales);
  }
}

TEST_P(Int8Rows, RoundsHalvesToEven) {
  const std::vector<float> x = {127, 0.5F, 1.5F, -0.5F, -1.5F, 126.5F, -126.5F, -127};
  std::vector<std::int8_t> found(x.size());
  float scale = 0;
  quantize_rows(x.data(), 1, std::ssize(x), found.data(), &scale);
  EXPECT_EQ(scale, 1);
  EXPECT_EQ(found, (std::vector<std::int8_t>{127, 0, 2, 0, -2, 126, -126, -127}));
}

INSTANTIATE_TEST_SUITE_P(SimdLevels, Int8Rows, ::testing::ValuesIn(simd_levels()),
                         [](const auto& level) { return level.param; });

// Every way of this CPU gives the bits of exact integer sums.
TEST(Int8Product, EveryWayEqualsTheExactSums) {
  for (const std::int64_t depth : {1, 3, 4, 64, 130, 256}) {
    for (const std::int64_t columns : {1, 15, 16, 17, 33, 128}) {
      for (const std::int64_t n : {0, 1, 3, 4, 12, 31, 50}) {
        const auto x = random_values<float>(n * depth, 1);
        const auto w = random_values<float>(columns * depth, 2);
        const auto bias = random_values<float>(columns, 3);
        const auto before = random_values<float>(n * columns, 4);
        const auto weight = Int8Matrix::of(w.data(), depth, columns);
        const auto left = quantized(x, n, depth), right = quantized(w, columns, depth);
        const auto stride = weight.groups() * 4;
        std::vector<std::uint8_t> rows(n * stride, 0x80);
        for (std::int64_t i = 0; i < n * depth; ++i) {
          rows[i / depth * stride + i % depth] = static_cast<std::uint8_t>(left.values[i] + 128);
        }
        for (const auto begin : kBegins) {
          Start<float> start;
          if (begin == Begin::kRow) start.row = bias.data();
          start.keep = begin == Begin::kKeep;
          std::vector<float> expected = before;
          for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t j = 0; j < columns; ++j) {
              std::int32_t sum = 0;
              for (std::int64_t k = 0; k < depth; ++k) {
                sum += left.values[i * depth + k] * right.values[j * depth + k];
              }
              const float first = begin == Begin::kRow    ? bias[j]
                                  : begin == Begin::kKeep ? before[i * columns + j]
                                                          : 0.0F;
              const float product = static_cast<float>(sum) * (right.scales[j] * left.scales[i]);
              expected[i * columns + j] = product + first;
            }
          }
          const auto ways = int8_ways();
          for (std::size_t way = 0; way < ways.size(); ++way) {
            auto y = before;
            ways[way](weight, n, rows.data(), left.scales.data(), start, y.data());
            EXPECT_EQ(y, expected)
                << "way " << way << ": " << n << " x " << columns << " x " << depth;
          }
          auto y = before;
          weight.multiply(n, x.data(), start, y.data());
          EXPECT_EQ(y, expected);
        }
      }
    }
  }
}

}  // namespace
}  // namespace fastformer::kernels

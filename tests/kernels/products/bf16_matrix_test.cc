#include "fastformer/kernels/products/bf16_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/products/product_check.h"

namespace fastformer::kernels {
namespace {

// Every way of this CPU gives the sums of rounded operands, and a row does not depend on the
// others.
TEST(Bf16Matrix, EveryPackingEqualsTheSumsOfRoundedOperands) {
  for (const std::int64_t depth : {1, 9, 32, 257}) {
    for (const std::int64_t columns : {1, 16, 17, 48, 100}) {
      for (const std::int64_t n : {0, 1, 16, 31, 290}) {
        const auto x = random_values<float>(n * depth, 1);
        const auto w = random_values<float>(columns * depth, 2);
        const auto bias = random_values<float>(columns, 3);
        const auto before = random_values<float>(n * columns, 4);
        for (const auto begin : kBegins) {
          Start<float> start;
          if (begin == Begin::kRow) start.row = bias.data();
          start.keep = begin == Begin::kKeep;
          for (const auto& packing : bf16_packings()) {
            std::vector<std::uint8_t> bytes(packing.size(depth, columns) + 64);
            auto* const packed =
                bytes.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 64);
            packing.pack(w.data(), depth, columns, packed);
            auto y = before;
            packing.multiply(packed, depth, columns, n, x.data(), start, y.data());
            double most = 0;
            for (std::int64_t i = 0; i < n; ++i) {
              for (std::int64_t j = 0; j < columns; ++j) {
                const auto at = i * columns + j;
                double sum = start.keep ? before[at] : start.row != nullptr ? bias[j] : 0.0F;
                for (std::int64_t k = 0; k < depth; ++k) {
                  sum += nearest_bf16(x[i * depth + k]) * nearest_bf16(w[j * depth + k]);
                }
                most = std::max(most, std::abs(sum - y[at]));
              }
            }
            EXPECT_LE(most, 1e-5 * std::sqrt(static_cast<double>(depth)))
                << n << " x " << columns << " x " << depth;
            if (n < 2) continue;
            std::vector<float> last(before.end() - columns, before.end());
            packing.multiply(packed, depth, columns, 1, x.data() + (n - 1) * depth, start,
                             last.data());
            EXPECT_EQ(last, std::vector<float>(y.end() - columns, y.end()));
          }
        }
      }
    }
  }
}

TEST(Bf16Matrix, UsesTheFastest) {
  const auto w = random_values<float>(48 * 40, 1), x = random_values<float>(7 * 40, 2);
  std::vector<float> y(7 * 48), expected(7 * 48);
  Bf16Matrix::of(w.data(), 40, 48).multiply(7, x.data(), {}, y.data());
  bf16_product(Transpose::kNo, Transpose::kYes, 7, 48, 40, x.data(), 40, w.data(), 40, {},
               expected.data(), 48);
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 1e-4);
}

}  // namespace
}  // namespace fastformer::kernels

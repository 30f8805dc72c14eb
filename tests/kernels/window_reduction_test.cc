#include "fastformer/kernels/window_reduction.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace fastformer::kernels {
namespace {

using Doubles = std::vector<double>;

// Columns of wider rows, so that what stands beside them must stay as it is.
constexpr WindowColumns kColumns{5, 8};

Doubles random_values(std::int64_t count, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  Doubles values(count);
  // Rounded, so that equal maxima occur.
  for (auto& value : values) value = std::round(4 * normal(generator)) / 4;
  return values;
}

struct Case {
  RowWindows windows;
  Doubles x, weights, gradient;
};

Case random_case(const RowWindows& windows) {
  const auto count = windows.count();
  return {windows, random_values(windows.rows * kColumns.stride, 1),
          random_values(count * windows.size, 2), random_values(count * kColumns.stride, 3)};
}

// body(window, row, position in the window) for all rows of all windows.
template <class Body>
void for_each_row(const RowWindows& windows, const Body& body) {
  for (std::int64_t p = 0; p * windows.step < windows.rows; ++p) {
    for (std::int64_t m = 0; m < windows.size; ++m) {
      if (p * windows.step + m < windows.rows) body(p, p * windows.step + m, m);
    }
  }
}

template <class Check>
void for_each_case(const Check& check) {
  for (const std::int64_t rows : {0, 1, 2, 3, 7, 8, 30, 130}) {
    for (const std::int64_t size : {1, 2, 5, 9}) {
      for (const std::int64_t step : {1, 2, 4, 9}) check(random_case({rows, size, step}));
    }
  }
}

TEST(WindowReduction, SumsEqualTheDefinition) {
  for_each_case([](const Case& c) {
    const auto count = c.windows.count(), size = c.windows.size;
    const auto [columns, stride] = kColumns;
    Doubles reduced(count * stride, 7), expected(count * stride, 7);
    Doubles dx(c.x.size(), 1), expected_dx(c.x.size(), 1);
    Doubles dweights(c.weights.size()), expected_dweights(c.weights.size());
    for (std::int64_t p = 0; p < count; ++p) {
      for (std::int64_t k = 0; k < columns; ++k) expected[p * stride + k] = 0;
    }
    for_each_row(c.windows, [&](std::int64_t p, std::int64_t row, std::int64_t m) {
      const double weight = c.weights[p * size + m];
      for (std::int64_t k = 0; k < kColumns.columns; ++k) {
        const double value = c.x[row * kColumns.stride + k];
        const double g = c.gradient[p * kColumns.stride + k];
        expected[p * kColumns.stride + k] += weight * value;
        expected_dx[row * kColumns.stride + k] += weight * g;
        expected_dweights[p * size + m] += g * value;
      }
    });
    window_sums(c.windows, kColumns, c.x.data(), c.weights.data(), size, reduced.data());
    window_sums_backward(c.windows, kColumns, c.x.data(), c.weights.data(), size, c.gradient.data(),
                         dx.data(), dweights.data());
    for (std::size_t i = 0; i < reduced.size(); ++i) EXPECT_NEAR(reduced[i], expected[i], 1e-12);
    for (std::size_t i = 0; i < dx.size(); ++i) EXPECT_NEAR(dx[i], expected_dx[i], 1e-12);
    for (std::size_t i = 0; i < dweights.size(); ++i) {
      EXPECT_NEAR(dweights[i], expected_dweights[i], 1e-12);
    }
  });
}

TEST(WindowReduction, MaximaEqualTheDefinition) {
  for_each_case([](const Case& c) {
    const auto stride = kColumns.stride;
    const double lowest = -std::numeric_limits<double>::infinity();
    Doubles reduced(c.gradient.size(), lowest), expected(c.gradient.size(), lowest);
    std::vector<std::int64_t> winner(c.gradient.size(), -1);
    for_each_row(c.windows, [&](std::int64_t p, std::int64_t row, std::int64_t) {
      for (std::int64_t k = 0; k < kColumns.columns; ++k) {
        const auto at = p * kColumns.stride + k;
        if (c.x[row * kColumns.stride + k] <= expected[at]) continue;
        expected[at] = c.x[row * kColumns.stride + k];
        winner[at] = row;
      }
    });
    Doubles dx(c.x.size(), 1), expected_dx(c.x.size(), 1), scratch(kColumns.columns);
    for (std::size_t at = 0; at < winner.size(); ++at) {
      if (winner[at] >= 0) expected_dx[winner[at] * stride + at % stride] += c.gradient[at];
    }
    window_maxima(c.windows, kColumns, c.x.data(), reduced.data());
    window_maxima_backward(c.windows, kColumns, c.x.data(), reduced.data(), c.gradient.data(),
                           dx.data(), scratch.data());
    EXPECT_EQ(reduced, expected);
    for (std::size_t i = 0; i < dx.size(); ++i) EXPECT_NEAR(dx[i], expected_dx[i], 1e-12);
  });
}

TEST(WindowReduction, PassesOnWhatIsNotANumber) {
  for (std::int64_t bad = 0; bad < 4; ++bad) {
    auto c = random_case({4, 4, 4});
    c.x[bad * kColumns.stride + 2] = std::numeric_limits<double>::quiet_NaN();
    Doubles reduced(kColumns.stride);
    window_maxima(c.windows, kColumns, c.x.data(), reduced.data());
    EXPECT_TRUE(std::isnan(reduced[2])) << bad;
    EXPECT_FALSE(std::isnan(reduced[1])) << bad;
  }
}

}  // namespace
}  // namespace fastformer::kernels

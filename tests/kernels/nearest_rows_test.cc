#include "fastformer/kernels/nearest_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "fastformer/base/random.h"
#include "support/temporary_folder.h"

namespace fastformer::kernels {
namespace {

using testing::error_of;

Vectors random_vectors(std::size_t rows, std::size_t width, std::uint64_t seed) {
  base::Random random(seed);
  Vectors vectors{.width = width, .values = {}};
  for (std::size_t i = 0; i < rows * width; ++i) {
    vectors.values.push_back(static_cast<float>(random.below(2001)) / 1000 - 1);
  }
  return vectors;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double product = 0, a_squares = 0, b_squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += double{a[i]} * double{b[i]};
    a_squares += double{a[i]} * double{a[i]};
    b_squares += double{b[i]} * double{b[i]};
  }
  return a_squares * b_squares > 0 ? product / std::sqrt(a_squares * b_squares) : 0;
}

// Every number of rows and of queries crosses the edges of the blocks.
TEST(NearestRows, AreThoseOfThePlainDefinition) {
  for (const std::size_t rows : {1, 15, 4095, 4097, 9000}) {
    for (const std::size_t width : {1, 7, 64}) {
      const auto vectors = random_vectors(rows, width, rows);
      const auto queries = random_vectors(17, width, 5);
      const auto found = NearestRows(vectors).search(queries, 10);
      ASSERT_EQ(found.size(), 17U);
      for (std::size_t q = 0; q < 17; q += 4) {
        std::vector<double> expected(rows);
        for (std::size_t r = 0; r < rows; ++r) expected[r] = cosine(queries.row(q), vectors.row(r));
        auto sorted = expected;
        std::sort(sorted.rbegin(), sorted.rend());
        ASSERT_EQ(found[q].size(), std::min<std::size_t>(10, rows));
        for (std::size_t k = 0; k < found[q].size(); ++k) {
          EXPECT_NEAR(found[q][k].similarity, sorted[k], 1e-5);
          EXPECT_NEAR(expected[found[q][k].row], sorted[k], 1e-5);
        }
      }
    }
  }
}

TEST(NearestRows, EqualOnesComeInTheirOrder) {
  const Vectors vectors{.width = 2, .values = {0, 1, 2, 0, 1, 0, 0, 0, 4, 0}};
  const auto found = NearestRows(vectors).search({.width = 2, .values = {3, 0}}, 9).front();
  std::vector<std::size_t> rows;
  for (const auto& one : found) rows.push_back(one.row);
  EXPECT_EQ(rows, (std::vector<std::size_t>{1, 2, 4, 0, 3}));
  EXPECT_EQ(found[0].similarity, 1);
  EXPECT_EQ(found[4].similarity, 0) << "a vector of zeros";
}

TEST(NearestRows, ARowIsNotItsOwnNeighbor) {
  const NearestRows index(random_vectors(50, 8, 1));
  const std::vector<std::size_t> rows = {49, 0, 7};
  const auto found = index.search_rows(rows, 99);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(found[i].size(), 49U);
    EXPECT_TRUE(
        std::ranges::none_of(found[i], [&](const auto& one) { return one.row == rows[i]; }));
  }
}

TEST(NearestRows, RefusesWhatCannotBeCompared) {
  const NearestRows index(random_vectors(5, 8, 1));
  EXPECT_MENTIONS(error_of([&] { index.search(random_vectors(1, 7, 1), 1); }), "width 7", "8");
  EXPECT_MENTIONS(error_of([&] { index.search_rows(std::vector<std::size_t>{5}, 1); }), "row 6");
  EXPECT_MENTIONS(error_of([] { NearestRows(Vectors{}); }), "no vectors");
  auto bad = random_vectors(3, 2, 1);
  bad.values[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_MENTIONS(error_of([&] { NearestRows{bad}; }), "row 2", "not finite");
}

}  // namespace
}  // namespace fastformer::kernels

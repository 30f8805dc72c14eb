#include "fastformer/data/splits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace fastformer::data {
namespace {

TEST(Splits, GroupsNeverCross) {
  std::vector<SplitRow> rows;
  for (int i = 0; i < 600; ++i) rows.push_back({static_cast<std::uint64_t>(i / 3), i % 2});
  const SplitOptions options{.validation_fraction = 0.2, .test_fraction = 0.1, .seed = 7};
  const auto parts = assign_parts(rows, options);
  for (std::size_t i = 0; i < rows.size(); i += 3) {
    EXPECT_EQ(parts[i], parts[i + 1]);
    EXPECT_EQ(parts[i], parts[i + 2]);
  }
  EXPECT_NEAR(static_cast<double>(std::count(parts.begin(), parts.end(), Part::kTest)), 60, 6);
  EXPECT_EQ(parts, assign_parts(rows, options));
}

TEST(Splits, TheOnlyRowOfAClassIsForTraining) {
  std::vector<SplitRow> rows = {{100, 1}};
  for (std::uint64_t i = 0; i < 20; ++i) rows.push_back({i, 0});
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto parts =
        assign_parts(rows, {.validation_fraction = 0.2, .test_fraction = 0.2, .seed = seed});
    EXPECT_EQ(parts.front(), Part::kTrain) << seed;
    EXPECT_EQ(std::count(parts.begin(), parts.end(), Part::kTest), 4);
    EXPECT_EQ(std::count(parts.begin(), parts.end(), Part::kValidation), 4);
  }
}

}  // namespace
}  // namespace fastformer::data

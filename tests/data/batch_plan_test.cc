#include "fastformer/data/batch_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>
#include <vector>

namespace fastformer::data {
namespace {

std::vector<std::int64_t> lengths_of(std::int64_t count) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < count; ++i) lengths.push_back(i * 7 % 40);
  return lengths;
}

std::int64_t tokens(const BatchPlan::Rows& rows, const std::vector<std::int64_t>& lengths) {
  return std::transform_reduce(rows.begin(), rows.end(), std::int64_t{0}, std::plus<>(),
                               [&](std::int64_t row) { return lengths[row]; });
}

void expect_each_row_once(const std::vector<BatchPlan::Rows>& batches, std::int64_t count) {
  std::set<std::int64_t> seen;
  for (const auto& rows : batches) {
    for (const auto row : rows) EXPECT_TRUE(seen.insert(row).second) << row;
  }
  EXPECT_EQ(std::ssize(seen), count);
}

TEST(BatchPlan, EveryRowIsInOneBatch) {
  const auto lengths = lengths_of(200);
  for (const bool sorted : {false, true}) {
    const BatchPlan plan(
        lengths, {.batch_by = BatchUnit::kTokens, .batch_tokens = 100, .sort_by_length = sorted},
        /*seed=*/1);
    const auto epoch = plan.epoch(0);
    expect_each_row_once(epoch, 200);
    EXPECT_EQ(plan.batches(0), std::ssize(epoch));
    for (const auto& rows : epoch) EXPECT_LE(tokens(rows, lengths), 100);
    EXPECT_EQ(epoch, plan.epoch(0));
    EXPECT_NE(epoch, plan.epoch(1));
    expect_each_row_once(plan.in_order(), 200);
  }
}

TEST(BatchPlan, CountsExamples) {
  const BatchPlan plan(lengths_of(10), {.batch_size = 4, .sort_by_length = false});
  EXPECT_EQ(plan.in_order(), (std::vector<BatchPlan::Rows>{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}}));
  expect_each_row_once(plan.epoch(3), 10);
}

TEST(BatchPlan, ALongDocumentIsABatchOfItsOwn) {
  const BatchPlan plan({5, 500, 5}, {.batch_by = BatchUnit::kTokens, .batch_tokens = 100});
  const auto batches = plan.in_order();
  EXPECT_EQ(batches, (std::vector<BatchPlan::Rows>{{0, 2}, {1}}));
}

TEST(BatchPlan, SortingPutsLikeLengthsTogether) {
  const auto lengths = lengths_of(4000);
  const auto padding = [&](bool sorted) {
    const BatchPlan plan(lengths, {.batch_size = 16, .sort_by_length = sorted}, /*seed=*/3);
    std::int64_t wasted = 0;
    for (const auto& rows : plan.epoch(0)) {
      std::int64_t longest = 0;
      for (const auto row : rows) longest = std::max(longest, lengths[row]);
      wasted += longest * std::ssize(rows) - tokens(rows, lengths);
    }
    return wasted;
  };
  EXPECT_LT(10 * padding(true), padding(false));
}

TEST(BatchPlan, RefusesASizeBelowOne) {
  EXPECT_THROW(BatchPlan({1}, {.batch_size = 0}), std::invalid_argument);
  EXPECT_THROW(BatchPlan({1}, {.batch_by = BatchUnit::kTokens, .batch_tokens = 0}),
               std::invalid_argument);
  EXPECT_TRUE(BatchPlan({}, {}).epoch(0).empty());
}

}  // namespace
}  // namespace fastformer::data

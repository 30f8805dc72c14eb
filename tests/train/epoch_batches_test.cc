#include "fastformer/train/epoch_batches.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/temporary_folder.h"

namespace fastformer::train {
namespace {

std::vector<std::int64_t> rest_of(EpochBatches<std::int64_t>& batches, std::int64_t count) {
  std::vector<std::int64_t> taken;
  for (std::int64_t i = 0; i < count; ++i) {
    batches.next();
    taken.push_back(*batches);
  }
  EXPECT_THROW(batches.next(), std::logic_error);
  return taken;
}

TEST(EpochBatches, GivesWhatFollowsTheFirst) {
  EpochBatches<std::int64_t> batches;
  EXPECT_THROW(batches.next(), std::logic_error);
  const auto square = [](std::int64_t i) { return i * i; };
  batches.begin(square, 0, 4);
  EXPECT_EQ(rest_of(batches, 4), (std::vector<std::int64_t>{0, 1, 4, 9}));
  batches.begin(square, 2, 4);
  EXPECT_EQ(rest_of(batches, 2), (std::vector<std::int64_t>{4, 9}));
  batches.begin(square, 4, 4);
  EXPECT_TRUE(rest_of(batches, 0).empty());
}

TEST(EpochBatches, RefusesABatchThatTheEpochLacks) {
  EpochBatches<std::int64_t> batches;
  const auto same = [](std::int64_t i) { return i; };
  for (const std::int64_t first : {-1, 5}) {
    EXPECT_MENTIONS(testing::error_of([&] { batches.begin(same, first, 4); }),
                    std::to_string(first), "4 batches");
  }
}

TEST(EpochBatches, HandsOnWhatMakingABatchThrew) {
  EpochBatches<std::int64_t> batches;
  batches.begin(
      [](std::int64_t i) -> std::int64_t {
        if (i == 1) throw std::invalid_argument("batch 1 is broken");
        return i;
      },
      0, 3);
  batches.next();
  EXPECT_MENTIONS(testing::error_of([&] { batches.next(); }), "batch 1 is broken");
}

}  // namespace
}  // namespace fastformer::train

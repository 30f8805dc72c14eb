#include "fastformer/data/batch_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/temporary_folder.h"

namespace fastformer::data {
namespace {

using Numbers = std::vector<std::int64_t>;

std::int64_t square(std::int64_t i) { return i * i; }

Numbers rest_of(BatchStream<std::int64_t>& batches) {
  Numbers taken;
  while (batches.next()) taken.push_back(*batches);
  EXPECT_FALSE(batches.next());
  return taken;
}

TEST(BatchStream, GivesWhatFollowsTheFirst) {
  BatchStream<std::int64_t> batches;
  EXPECT_FALSE(batches.next());
  batches.begin(square, 0, 4);
  EXPECT_EQ(rest_of(batches), (Numbers{0, 1, 4, 9}));
  batches.begin(square, 2, 4);
  EXPECT_EQ(rest_of(batches), (Numbers{4, 9}));
  batches.begin(square, 4, 4);
  EXPECT_TRUE(rest_of(batches).empty());
  batches.begin(square, 0, 0);
  EXPECT_TRUE(rest_of(batches).empty());
  for (const std::int64_t first : {0, 3, 49}) {
    batches.begin(square, first, 50);
    for (auto i = first; i < 50; ++i) {
      ASSERT_TRUE(batches.next());
      ASSERT_EQ(*batches, i * i);
    }
    EXPECT_FALSE(batches.next());
  }
}

TEST(BatchStream, RefusesABatchThatTheEpochLacks) {
  BatchStream<std::int64_t> batches;
  for (const std::int64_t first : {-1, 5}) {
    EXPECT_MENTIONS(testing::error_of([&] { batches.begin(square, first, 4); }),
                    std::to_string(first), "4 batches");
  }
}

TEST(BatchStream, BatchesAreMovedNeverCopied) {
  BatchStream<std::unique_ptr<std::string>> batches;
  batches.begin([](std::int64_t i) { return std::make_unique<std::string>(std::to_string(i)); }, 0,
                10);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(batches.next());
    EXPECT_EQ(**batches, std::to_string(i));
  }
}

TEST(BatchStream, AnExceptionComesAfterTheBatchesBeforeIt) {
  std::atomic<std::int64_t> asked = 0;
  BatchStream<std::int64_t> batches;
  batches.begin(
      [&](std::int64_t i) {
        ++asked;
        if (i == 6) throw std::invalid_argument("row 6 is damaged");
        return i;
      },
      0, 20);
  for (std::int64_t i = 0; i < 6; ++i) {
    ASSERT_TRUE(batches.next());
    ASSERT_EQ(*batches, i);
  }
  for (int again = 0; again < 2; ++again) {  // it stays, rather than to look like the end
    EXPECT_EQ(testing::error_of([&] { batches.next(); }), "row 6 is damaged");
  }
  EXPECT_EQ(asked, 7) << "nothing is made behind what failed";
  batches.begin(square, 0, 2);
  EXPECT_EQ(rest_of(batches), (Numbers{0, 1}));
}

TEST(BatchStream, IsAheadByAFewBatchesOnly) {
  std::atomic<std::int64_t> made = 0;
  BatchStream<std::int64_t> batches;
  batches.begin([&](std::int64_t i) { return ++made, i; }, 0, 1000);
  for (std::int64_t taken = 1; taken <= 20; ++taken) {
    ASSERT_TRUE(batches.next());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_LE(made, taken + 5);  // four wait, one is in hand
  }
}

TEST(BatchStream, MayEndAtAnyPoint) {
  for (int taken = 0; taken < 12; ++taken) {
    std::atomic<bool> there = true;
    {
      BatchStream<std::int64_t> batches;
      batches.begin(
          [&](std::int64_t i) {
            EXPECT_TRUE(there) << "what is read was gone";
            return i;
          },
          0, 1'000'000'000);
      for (int i = 0; i < taken; ++i) {
        ASSERT_TRUE(batches.next());
        ASSERT_EQ(*batches, i);
      }
    }
    there = false;
  }
}

TEST(BatchStream, AnExceptionThatNobodyFetchesDoesNoHarm) {
  for (int round = 0; round < 20; ++round) {
    BatchStream<int> batches;
    batches.begin([](std::int64_t) -> int { throw std::runtime_error("lost"); }, 0, 5);
  }
}

}  // namespace
}  // namespace fastformer::data

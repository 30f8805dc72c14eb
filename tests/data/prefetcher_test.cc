#include "fastformer/data/prefetcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace fastformer::data {
namespace {

TEST(Prefetcher, GivesTheBatchesInOrderFromTheFirst) {
  for (const std::int64_t first : {0, 3, 49}) {
    Prefetcher<std::int64_t> batches([](std::int64_t i) { return i * i; }, first, 50);
    for (auto i = first; i < 50; ++i) ASSERT_EQ(batches.next(), i * i);
    EXPECT_FALSE(batches.next());
    EXPECT_FALSE(batches.next());
  }
}

TEST(Prefetcher, WithoutBatchesItGivesNone) {
  for (const std::int64_t first : {0, 7}) {
    Prefetcher<int> batches([](std::int64_t) -> int { throw std::logic_error("asked"); }, first, 0);
    EXPECT_FALSE(batches.next());
  }
}

TEST(Prefetcher, BatchesAreMovedNeverCopied) {
  Prefetcher<std::unique_ptr<std::string>> batches(
      [](std::int64_t i) { return std::make_unique<std::string>(std::to_string(i)); }, 0, 10);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(**batches.next(), std::to_string(i));
}

TEST(Prefetcher, AnExceptionComesAfterTheBatchesBeforeIt) {
  std::atomic<std::int64_t> asked = 0;
  Prefetcher<std::int64_t> batches(
      [&](std::int64_t i) {
        ++asked;
        if (i == 6) throw std::invalid_argument("row 6 is damaged");
        return i;
      },
      0, 20);
  for (std::int64_t i = 0; i < 6; ++i) ASSERT_EQ(batches.next(), i);
  for (int again = 0; again < 2; ++again) {  // it stays, rather than to look like the end
    try {
      batches.next();
      ADD_FAILURE() << "no exception";
    } catch (const std::invalid_argument& error) {
      EXPECT_STREQ(error.what(), "row 6 is damaged");
    }
  }
  EXPECT_EQ(asked, 7) << "nothing is made behind what failed";
}

TEST(Prefetcher, IsAheadByAFewBatchesOnly) {
  std::atomic<std::int64_t> made = 0;
  Prefetcher<std::int64_t> batches([&](std::int64_t i) { return ++made, i; }, 0, 1000);
  for (std::int64_t taken = 1; taken <= 20; ++taken) {
    batches.next();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_LE(made, taken + 5);  // four wait, one is in hand
  }
}

TEST(Prefetcher, MayGoAtAnyPoint) {
  for (int taken = 0; taken < 12; ++taken) {
    std::atomic<bool> there = true;
    {
      Prefetcher<std::int64_t> batches(
          [&](std::int64_t i) {
            EXPECT_TRUE(there) << "what is read was gone";
            return i;
          },
          0, 1'000'000'000);
      for (int i = 0; i < taken; ++i) ASSERT_EQ(batches.next(), i);
    }
    there = false;
  }
}

TEST(Prefetcher, AnExceptionThatNobodyFetchesIsNoEnd) {
  for (int round = 0; round < 20; ++round) {
    Prefetcher<int> batches([](std::int64_t) -> int { throw std::runtime_error("lost"); }, 0, 5);
  }
}

}  // namespace
}  // namespace fastformer::data

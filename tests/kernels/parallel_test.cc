#include "fastformer/kernels/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/kernels/precision.h"

namespace fastformer::kernels {
namespace {

using Range = std::pair<std::int64_t, std::int64_t>;

// The parts that `parallel_for` makes, in ascending order.
std::vector<Range> parts_of(std::int64_t begin, std::int64_t end, std::int64_t grain) {
  std::mutex mutex;
  std::vector<Range> parts;
  parallel_for(begin, end, grain, [&](std::int64_t first, std::int64_t last) {
    const std::lock_guard lock(mutex);
    parts.emplace_back(first, last);
  });
  std::sort(parts.begin(), parts.end());
  return parts;
}

TEST(ParallelFor, CutsARangeByItsGrainAndTheThreads) {
  const ComputeScope scope(Precision::kFp32, 3);
  EXPECT_EQ(parts_of(0, 10, 1), (std::vector<Range>{{0, 4}, {4, 8}, {8, 10}}));
  EXPECT_EQ(parts_of(5, 15, 4), (std::vector<Range>{{5, 9}, {9, 13}, {13, 15}}));
  EXPECT_EQ(parts_of(0, 10, 5), (std::vector<Range>{{0, 5}, {5, 10}}));
  EXPECT_EQ(parts_of(0, 10, 10), (std::vector<Range>{{0, 10}}));
  EXPECT_EQ(parts_of(0, 2, 0), (std::vector<Range>{{0, 1}, {1, 2}}));
  EXPECT_EQ(parts_of(7, 8, 1), (std::vector<Range>{{7, 8}}));
  EXPECT_TRUE(parts_of(7, 7, 1).empty());
}

TEST(ParallelFor, RunsSeriallyInsideAParallelRegion) {
  const ComputeScope scope(Precision::kFp32, 2);
  EXPECT_FALSE(in_parallel_region());
  std::array<std::vector<Range>, 2> inner;
  parallel_for(0, 2, 1, [&](std::int64_t first, std::int64_t last) {
    EXPECT_TRUE(in_parallel_region());
    EXPECT_EQ(thread_count(), 2);
    for (auto i = first; i < last; ++i) inner[i] = parts_of(0, 8, 1);
  });
  for (const auto& parts : inner) EXPECT_EQ(parts, (std::vector<Range>{{0, 8}}));
}

TEST(ParallelFor, PassesExceptionsToItsCaller) {
  for (const int threads : {1, 3}) {
    const ComputeScope scope(Precision::kFp32, threads);
    const auto run = [](std::int64_t bad) {
      parallel_for(0, 9, 1, [&](std::int64_t first, std::int64_t last) {
        if (first <= bad && bad < last) throw std::out_of_range("part");
      });
    };
    for (const std::int64_t bad : {0, 4, 8}) EXPECT_THROW(run(bad), std::out_of_range) << threads;
    EXPECT_NO_THROW(run(9));
  }
}

TEST(ComputeScope, BelongsToItsThreadAndEnds) {
  const auto threads = thread_count();
  EXPECT_EQ(token_operands(), Operands::kFloat);
  {
    const ComputeScope outer(Precision::kBf16, 3);
    EXPECT_EQ(token_operands(), Operands::kBf16);
    EXPECT_EQ(thread_count(), 3);
    {
      const ComputeScope inner(Precision::kFp32);
      EXPECT_EQ(token_operands(), Operands::kFloat);
      EXPECT_EQ(thread_count(), 3);
      const ComputeScope alone(Precision::kBf16, 1);
      EXPECT_EQ(thread_count(), 1);
    }
    EXPECT_EQ(token_operands(), Operands::kBf16);
    EXPECT_EQ(thread_count(), 3);
    std::thread([&] {
      EXPECT_EQ(token_operands(), Operands::kFloat);
      EXPECT_EQ(thread_count(), threads);
      const ComputeScope other(Precision::kFp32, 2);
      EXPECT_EQ(parts_of(0, 8, 1).size(), 2);
    }).join();
    EXPECT_EQ(parts_of(0, 9, 1).size(), 3);
  }
  EXPECT_EQ(token_operands(), Operands::kFloat);
  EXPECT_EQ(thread_count(), threads);
  EXPECT_THROW(ComputeScope(Precision::kFp32, -1), std::invalid_argument);
  EXPECT_THROW(ComputeScope(Precision::kFp32, kMostThreads + 1), std::invalid_argument);
}

TEST(ComputeScope, HoldsOnTheThreadsThatHelp) {
  const ComputeScope scope(Precision::kBf16, 3);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  // Each part waits for the others, so that three threads are needed.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const auto met = [&] {
    const std::lock_guard lock(mutex);
    return threads.size() == 3 || std::chrono::steady_clock::now() > end;
  };
  parallel_for(0, 3, 1, [&](std::int64_t, std::int64_t) {
    {
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
    }
    while (!met()) std::this_thread::yield();
    EXPECT_EQ(token_operands(), Operands::kBf16);
  });
  EXPECT_EQ(threads.size(), 3);
  const ComputeScope exact(Precision::kFp32);
  parallel_for(0, 3, 1,
               [&](std::int64_t, std::int64_t) { EXPECT_EQ(token_operands(), Operands::kFloat); });
}

TEST(Precision, AutoIsTheFastestOfThisCpu) {
  EXPECT_EQ(resolve_precision(Precision::kAuto),
            has_bf16_products() ? Precision::kBf16 : Precision::kFp32);
  EXPECT_EQ(resolve_precision(Precision::kBf16), Precision::kBf16);
  EXPECT_EQ(resolve_precision(Precision::kFp32), Precision::kFp32);
  EXPECT_EQ(base::parse_word<Precision>("auto", "--precision"), Precision::kAuto);
  EXPECT_STREQ(base::word_of(Precision::kBf16), "bf16");
  EXPECT_THROW(base::parse_word<Precision>("fp16", "--precision"), std::invalid_argument);
}

}  // namespace
}  // namespace fastformer::kernels

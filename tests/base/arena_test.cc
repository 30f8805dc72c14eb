#include "fastformer/base/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace fastformer::base {
namespace {

constexpr std::size_t kMebibyte = 1 << 20;

TEST(Arena, JoinsWhatIsFreeAndGivesTheLowestFirst) {
  Arena arena(64 * kMebibyte);
  void* const a = arena.allocate(kMebibyte);
  void* const b = arena.allocate(kMebibyte);
  void* const c = arena.allocate(kMebibyte);
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a) % 4096, 0u);
  arena.release(a);
  arena.release(c);
  arena.release(b);  // the two others are its neighbours
  EXPECT_EQ(arena.allocate(3 * kMebibyte), a);
  EXPECT_EQ(arena.reached(), 3 * kMebibyte);
}

TEST(Arena, KnowsItsBlocks) {
  Arena arena(64 * kMebibyte);
  const int other = 0;
  EXPECT_TRUE(arena.contains(arena.allocate(kMebibyte)));
  EXPECT_FALSE(arena.contains(&other));
  EXPECT_FALSE(arena.contains(nullptr));
}

TEST(Arena, HasNoRoomBeyondItsCapacity) {
  Arena arena(4 * kMebibyte);
  EXPECT_EQ(arena.allocate(5 * kMebibyte), nullptr);
  void* const whole = arena.allocate(4 * kMebibyte);
  ASSERT_NE(whole, nullptr);
  EXPECT_EQ(arena.allocate(1), nullptr);
  arena.release(whole);
  EXPECT_EQ(arena.allocate(1), whole);
}

TEST(Arena, RepeatedPatternsReachNoFurther) {
  Arena arena(std::size_t{1} << 34);
  std::size_t reached = 0;
  for (int step = 0; step < 20; ++step) {
    std::vector<void*> blocks;
    for (const std::size_t size : {3, 7, 1, 7, 20, 2})
      blocks.push_back(arena.allocate(size * 5000));
    for (const int i : {1, 0, 4, 2, 5, 3}) arena.release(blocks[static_cast<std::size_t>(i)]);
    if (step == 0) reached = arena.reached();
  }
  EXPECT_EQ(arena.reached(), reached);
}

TEST(Arena, BlocksOfManyThreadsDoNotOverlap) {
  Arena arena(std::size_t{1} << 30);
  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= 4; ++seed) {
    threads.emplace_back([&arena, seed] {
      std::mt19937 draw(seed);
      struct Block {
        unsigned char* data;
        std::size_t size;
        unsigned char mark;
      };
      std::vector<Block> blocks;
      const auto check_and_release = [&](std::size_t i) {
        const auto block = blocks[i];
        EXPECT_TRUE(std::all_of(block.data, block.data + block.size,
                                [&](unsigned char value) { return value == block.mark; }));
        arena.release(block.data);
        blocks[i] = blocks.back();
        blocks.pop_back();
      };
      for (int step = 0; step < 300; ++step) {
        const std::size_t size = 1 + draw() % 50000;
        auto* data = static_cast<unsigned char*>(arena.allocate(size));
        ASSERT_NE(data, nullptr);
        blocks.push_back({data, size, static_cast<unsigned char>(draw())});
        std::memset(data, blocks.back().mark, size);
        if (blocks.size() > 10) check_and_release(draw() % blocks.size());
      }
      while (!blocks.empty()) check_and_release(0);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_NE(arena.allocate(std::size_t{1} << 30), nullptr);  // all is one range again
}

}  // namespace
}  // namespace fastformer::base

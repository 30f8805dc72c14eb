#include "fastformer/nn/mixers/block_attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "fastformer/base/random.h"

namespace fastformer::nn {
namespace {

using Blocks = std::vector<std::int64_t>;

// The random blocks with all candidates written out and swapped.
Blocks shuffled(const BlockPattern& pattern, std::int64_t block, std::int64_t head,
                std::int64_t count) {
  Blocks candidates;
  for (auto other = pattern.global; other < count; ++other) {
    if (std::abs(block - other) > pattern.side) candidates.push_back(other);
  }
  const auto m = candidates.size();
  const auto taken = std::min<std::size_t>(pattern.random, m);
  for (std::size_t k = 0; k < taken; ++k) {
    const auto place = static_cast<std::uint64_t>(block) * 0x9E3779B97F4A7C15 +
                       static_cast<std::uint64_t>(head) * 1000003 + k;
    const auto draw = base::mix64(pattern.seed ^ base::mix64(place));
    std::swap(candidates[k], candidates[k + draw % (m - k)]);
  }
  candidates.resize(taken);
  return candidates;
}

std::vector<BlockPattern> patterns() {
  std::vector<BlockPattern> all;
  for (const std::int64_t side : {1, 2, 5}) {
    for (const std::int64_t global : {0, 1, 4, 30}) {
      for (const std::int64_t random : {0, 1, 3, 40}) {
        all.push_back({3, side, global, random, static_cast<std::uint64_t>(side) << 40});
      }
    }
  }
  return all;
}

TEST(BlockPattern, DrawsAsFisherAndYatesDo) {
  for (const auto& pattern : patterns()) {
    for (const std::int64_t count : {1, 2, 3, 7, 31, 64}) {
      for (std::int64_t block = 0; block < count; ++block) {
        for (const std::int64_t head : {0, 1, 9}) {
          EXPECT_EQ(pattern.random_blocks(block, head, count),
                    shuffled(pattern, block, head, count));
        }
      }
    }
  }
}

TEST(BlockPattern, AttendsToEachTokenOfItsBlocksOnce) {
  for (const auto& pattern : patterns()) {
    for (const std::int64_t tokens : {1, 2, 3, 4, 20, 91, 100}) {
      const auto count = pattern.blocks(tokens);
      for (std::int64_t block = 0; block < count; ++block) {
        std::set<std::int64_t> expected;
        const auto random = shuffled(pattern, block, 2, count);
        for (std::int64_t j = 0; j < tokens; ++j) {
          const auto other = j / pattern.size;
          const bool near = std::abs(block - other) <= pattern.side;
          const bool drawn = std::count(random.begin(), random.end(), other) > 0;
          if (near || drawn || other < pattern.global || block < pattern.global) expected.insert(j);
        }
        Blocks seen;
        for (const auto& range : pattern.attended_tokens(block, 2, tokens)) {
          EXPECT_LT(range.begin, range.end);
          seen.resize(seen.size() + range.end - range.begin);
          std::iota(seen.end() - (range.end - range.begin), seen.end(), range.begin);
        }
        EXPECT_EQ(seen, Blocks(expected.begin(), expected.end())) << block << " of " << tokens;
      }
    }
  }
}

TEST(BlockPattern, DrawsAnewForEachHeadAndSeed) {
  const BlockPattern pattern{16, 1, 1, 3, 5};
  auto other = pattern;
  other.seed = 6;
  EXPECT_NE(pattern.random_blocks(4, 0, 100), pattern.random_blocks(4, 1, 100));
  EXPECT_NE(pattern.random_blocks(4, 0, 100), other.random_blocks(4, 0, 100));
}

}  // namespace
}  // namespace fastformer::nn

#include "fastformer/nn/bert/document_chunks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>

namespace fastformer::nn {
namespace {

constexpr std::int32_t kFirst = 1, kLast = 2;

// A framed document whose other tokens are 10, 11, ...
std::vector<std::int32_t> document(std::int64_t length) {
  std::vector<std::int32_t> ids = {kFirst};
  for (std::int64_t i = 2; i < length; ++i) ids.push_back(static_cast<std::int32_t>(8 + i));
  ids.push_back(kLast);
  return ids;
}

DocumentChunks cut(const std::vector<std::int32_t>& ids, const ChunkShape& shape) {
  const std::vector<std::int64_t> offsets = {0, std::ssize(ids)};
  return cut_into_chunks(ids, Offsets(offsets), shape);
}

TEST(DocumentChunks, ShortDocumentsStayAsTheyAre) {
  const std::vector<std::int32_t> ids = {1, 10, 2, 1, 2};
  const std::vector<std::int64_t> offsets = {0, 3, 3, 5};
  const auto chunks = cut_into_chunks(ids, Offsets(offsets), {.tokens = 4, .overlap = 1});
  EXPECT_EQ(chunks.ids, ids);
  EXPECT_EQ(chunks.offsets, (std::vector<std::int64_t>{0, 3, 5}));
  EXPECT_EQ(chunks.rows, (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
}

TEST(DocumentChunks, LongDocumentsAreCutWithAnOverlap) {
  const auto chunks = cut(document(10), {.tokens = 6, .overlap = 2});
  EXPECT_EQ(chunks.ids, (std::vector<std::int32_t>{1, 10, 11, 12, 13, 2,  //
                                                   1, 12, 13, 14, 15, 2,  //
                                                   1, 14, 15, 16, 17, 2}));
  EXPECT_EQ(chunks.offsets, (std::vector<std::int64_t>{0, 6, 12, 18}));
  EXPECT_EQ(chunks.rows, (std::vector<std::int64_t>{0, 1, 2, 3, 8, 9, 14, 15, 16, 17}));
}

TEST(DocumentChunks, TheLastChunkIsAsLongAsTheOthers) {
  const auto chunks = cut(document(7), {.tokens = 6, .overlap = 0});
  EXPECT_EQ(chunks.ids, (std::vector<std::int32_t>{1, 10, 11, 12, 13, 2, 1, 11, 12, 13, 14, 2}));
}

// Of all rows with the token, the one for it is farthest from the ends of its chunk.
TEST(DocumentChunks, EachTokenHasTheRowThatSeesMostAroundIt) {
  std::mt19937 random(3);
  for (int repetition = 0; repetition < 300; ++repetition) {
    const auto tokens = std::uniform_int_distribution<std::int64_t>(3, 20)(random);
    const ChunkShape shape{
        tokens, std::uniform_int_distribution<std::int64_t>(0, (tokens - 2) / 2)(random)};
    const auto length = std::uniform_int_distribution<std::int64_t>(2, 90)(random);
    const auto ids = document(length);
    const auto chunks = cut(ids, shape);
    ASSERT_EQ(std::ssize(chunks.rows), length);
    ASSERT_EQ(std::ssize(chunks.ids), rows_in_chunks(length, shape));
    ASSERT_EQ(std::ssize(chunks.ids), chunks.offsets.back());
    ASSERT_TRUE(std::ranges::is_sorted(chunks.rows));
    // The distance of a row from the nearer end of its chunk.
    const auto depth = [&](std::int64_t row) {
      const auto end = std::ranges::upper_bound(chunks.offsets, row);
      return std::min(row - *(end - 1), *end - 1 - row);
    };
    for (std::int64_t i = 0; i < length; ++i) {
      const auto row = chunks.rows[static_cast<std::size_t>(i)];
      const auto id = chunks.ids[static_cast<std::size_t>(row)];
      ASSERT_EQ(id, ids[static_cast<std::size_t>(i)]);
      if (i == 0 || i + 1 == length) continue;
      for (std::int64_t other = 0; other < std::ssize(chunks.ids); ++other) {
        if (chunks.ids[static_cast<std::size_t>(other)] != id) continue;
        ASSERT_LE(depth(other), depth(row) + 1) << "token " << i << " of " << length;
      }
    }
    for (std::size_t c = 0; c + 1 < chunks.offsets.size(); ++c) {
      ASSERT_EQ(chunks.ids[static_cast<std::size_t>(chunks.offsets[c])], kFirst);
      ASSERT_EQ(chunks.ids[static_cast<std::size_t>(chunks.offsets[c + 1] - 1)], kLast);
      ASSERT_LE(chunks.offsets[c + 1] - chunks.offsets[c], tokens);
    }
  }
}

TEST(DocumentChunks, RefusesMoreThanHalfAsOverlap) {
  EXPECT_THROW(cut(document(9), {.tokens = 6, .overlap = 3}), std::invalid_argument);
}

}  // namespace
}  // namespace fastformer::nn

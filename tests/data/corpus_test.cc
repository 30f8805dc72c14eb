#include "fastformer/data/corpus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "fastformer/data/batch.h"
#include "support/temporary_folder.h"

namespace fastformer::data {
namespace {

const std::vector<std::int32_t> kTokens = {1, 2, 3};

void check_three_rows(const Corpus& corpus) {
  ASSERT_EQ(corpus.size(), 3);
  EXPECT_TRUE(std::ranges::equal(corpus.tokens(0), kTokens));
  EXPECT_TRUE(corpus.tokens(1).empty());
  EXPECT_TRUE(std::ranges::equal(corpus.tokens(2), std::span(kTokens).last(1)));
  EXPECT_EQ(corpus.record(2), 9);
  EXPECT_EQ(corpus.total_tokens(), 4);
  EXPECT_EQ(corpus.truncated(), 1);
  EXPECT_EQ(corpus.empty(), 1);
  EXPECT_EQ(corpus.lengths(), (std::vector<std::int64_t>{3, 0, 1}));
  EXPECT_THROW(corpus.tokens(3), std::out_of_range);
  EXPECT_THROW(corpus.tokens(-1), std::out_of_range);
  EXPECT_THROW(corpus.record(3), std::out_of_range);
  const auto batch = gather(corpus, std::vector<std::int64_t>{2, 0});
  EXPECT_EQ(batch.ids, (std::vector<std::int32_t>{3, 1, 2, 3}));
  EXPECT_EQ(batch.offsets, (std::vector<std::int64_t>{0, 1, 4}));
}

Corpus three_rows(const std::filesystem::path& path) {
  CorpusWriter writer(path);
  writer.add(kTokens, 0, /*truncated=*/true);
  writer.add({}, 4);
  writer.add(std::span(kTokens).last(1), 9);
  return writer.finish();
}

TEST(Corpus, InMemoryAndInAFileIsTheSame) {
  const testing::TemporaryFolder folder;
  check_three_rows(three_rows(""));
  check_three_rows(three_rows(folder / "corpus.tokens"));
  check_three_rows(Corpus::open(folder / "corpus.tokens", /*tokens=*/4));
  EXPECT_EQ(Corpus().size(), 0);
  EXPECT_EQ(CorpusWriter().finish().total_tokens(), 0);
}

TEST(Corpus, NothingIsAtThePathBeforeTheEnd) {
  const testing::TemporaryFolder folder;
  {
    CorpusWriter writer(folder / "corpus.tokens");
    writer.add(kTokens, 0);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_THROW(CorpusWriter(folder / "none/corpus.tokens"), std::runtime_error);
}

TEST(Corpus, ADamagedFileIsRefused) {
  const testing::TemporaryFolder folder;
  const auto path = folder / "corpus.tokens";
  three_rows(path);
  const auto refusal = [&] { return testing::error_of([&] { Corpus::open(path, 4); }); };
  for (const int place : {0, 8, 20, 64, 70, 90}) {
    three_rows(path);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(place);
    const char byte = static_cast<char>(file.get() ^ 0x55);
    file.seekp(place);
    file.put(byte);
    file.close();
    EXPECT_MENTIONS(refusal(), "corpus.tokens");
  }
  three_rows(path);
  for (const auto size : {100, 64, 30, 0}) {
    std::filesystem::resize_file(path, size);
    EXPECT_MENTIONS(refusal(), "corpus.tokens");
  }
  EXPECT_MENTIONS(testing::error_of([&] { Corpus::open(folder / "gone.tokens", 4); }),
                  "gone.tokens");
}

TEST(Corpus, ARightChecksumDoesNotVouchForTheTokens) {
  const testing::TemporaryFolder folder;
  const auto path = folder / "corpus.tokens";
  const auto refusal = [&](std::int64_t tokens) {
    return testing::error_of([&] { Corpus::open(path, tokens); });
  };
  three_rows(path);
  EXPECT_EQ(refusal(4), "");
  EXPECT_MENTIONS(refusal(3), "corpus.tokens", "the number 3", "from 0 to 2", "delete the folder");
  CorpusWriter negative(path);
  negative.add(std::vector<std::int32_t>{1, -1}, 0);
  negative.finish();
  EXPECT_MENTIONS(refusal(4), "the number -1");
}

}  // namespace
}  // namespace fastformer::data

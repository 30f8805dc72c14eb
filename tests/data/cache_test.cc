#include "fastformer/data/cache.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>

#include "fastformer/base/atomic_file.h"
#include "fastformer/data/corpus.h"
#include "fastformer/data/delimited_records.h"
#include "fastformer/data/json_lines.h"
#include "support/temporary_folder.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

class PreparedFolder : public ::testing::Test {
 protected:
  fs::path prepare() {
    return prepared_folder(
        cache_.path(), key_,
        [&](const fs::path& fresh) {
          ++built_;
          fs::create_directory(fresh / "tokenizer");
          base::write_file_atomically(fresh / "tokenizer/vocab.txt", std::string_view("[UNK]\n"));
          base::write_file_atomically(fresh / kDatasetFile, std::string_view("{}\n"));
        },
        [&](const std::string& notice) { notice_ = notice; });
  }
  std::set<std::string> entries() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(cache_.path())) {
      names.insert(entry.path().filename());
    }
    return names;
  }
  testing::TemporaryFolder cache_;
  CacheKey key_;
  int built_ = 0;
  std::string notice_;
};

TEST_F(PreparedFolder, IsBuiltOnce) {
  const auto folder = prepare();
  EXPECT_EQ(prepare(), folder);
  EXPECT_EQ(built_, 1);
  EXPECT_EQ(notice_, "");
}

TEST_F(PreparedFolder, ADamagedOneIsBuiltAgainWithANotice) {
  const auto folder = prepare();
  const auto damage = {std::pair("tokenizer/vocab.txt", "[UNK]\nx\n"),
                       std::pair("dataset.json", "{} \n"), std::pair("checksums.json", "{")};
  for (const auto& [name, content] : damage) {
    cache_.write(folder.filename().string() + "/" + name, content);
    EXPECT_EQ(prepare(), folder);
    EXPECT_MENTIONS(notice_, name, "prepared again");
    notice_.clear();
    EXPECT_EQ(base::read_file(folder / "tokenizer/vocab.txt"), "[UNK]\n");
  }
  EXPECT_EQ(built_, 4);
  fs::remove(folder / "dataset.json");
  prepare();
  EXPECT_MENTIONS(notice_, "dataset.json");
  EXPECT_EQ(entries().size(), 1u);
}

TEST_F(PreparedFolder, LeftoversOfAKilledProcessAreRemoved) {
  const pid_t child = fork();
  if (child == 0) {
    prepared_folder(cache_.path(), key_, [](const fs::path&) { _exit(0); });
  }
  waitpid(child, nullptr, 0);
  fs::create_directory(cache_ / "0123456789abcdef.tmp.77");
  EXPECT_EQ(entries().size(), 2u);
  const auto folder = prepare();
  EXPECT_EQ(entries(),
            (std::set<std::string>{folder.filename().string(), "0123456789abcdef.tmp.77"}));
}

TEST_F(PreparedFolder, WhatIsNoPreparedFolderIsNotReplaced) {
  const auto folder = cache_ / key_.hexadecimal();
  fs::create_directory(folder);
  cache_.write(key_.hexadecimal() + "/mine", "x");
  EXPECT_MENTIONS(testing::error_of<std::runtime_error>([&] { prepare(); }), key_.hexadecimal(),
                  "move it elsewhere");
  EXPECT_TRUE(fs::exists(folder / "mine"));
}

TEST(CorpusChecksum, TellsContentsApart) {
  const testing::TemporaryFolder folder;
  const auto corpus = [&](const fs::path& path, std::int32_t token, std::int64_t record) {
    CorpusWriter writer(path);
    writer.add(std::span(&token, 1), record);
    return writer.finish();
  };
  const auto sum = corpus("", 1, 0).checksum();
  EXPECT_EQ(corpus(folder / "a.tokens", 1, 0).checksum(), sum);
  EXPECT_NE(corpus("", 2, 0).checksum(), sum);
  EXPECT_NE(corpus("", 1, 1).checksum(), sum);
}

TEST(HostileRecords, ARecordOfManyQuotedCellsIsLimited) {
  const testing::TemporaryFolder folder;
  // Three cells of 30 MB each, none of which is too long by itself.
  const std::string line((std::size_t{30} << 20) - 1, 'a');
  const auto file =
      folder.write("a.csv", "x\n\"" + line + "\n\",\"" + line + "\n\",\"" + line + "\n\"\n");
  DelimitedRecords records(file, ',');
  std::vector<std::string> cells;
  ASSERT_TRUE(records.next(cells));
  EXPECT_MENTIONS(testing::error_of([&] { records.next(cells); }), "a.csv:", "64 MB");
}

TEST(HostileRecords, ARecordOfManyEmptyCellsIsLimited) {
  const testing::TemporaryFolder folder;
  DelimitedRecords records(folder.write("a.csv", "x,y\n" + std::string(2'000'000, ',') + "\n"),
                           ',');
  std::vector<std::string> cells;
  ASSERT_TRUE(records.next(cells));
  EXPECT_MENTIONS(testing::error_of([&] { records.next(cells); }), "a.csv:2", "1000000 cells");
}

TEST(HostileRecords, ANumberTooLargeForJsonHasItsLine) {
  const testing::TemporaryFolder folder;
  JsonLines lines(folder.write("a.jsonl", "{\"a\":1}\n{\"label\":1e400}\n"));
  nlohmann::json object;
  ASSERT_TRUE(lines.next(object));
  EXPECT_MENTIONS(testing::error_of([&] { lines.next(object); }), "a.jsonl:2", "too large");
}

}  // namespace
}  // namespace fastformer::data

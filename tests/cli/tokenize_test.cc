#include <gtest/gtest.h>

#include "cli/program.h"

namespace fastformer::cli {
namespace {

TEST(TokenizeCommand, PrintsTokensOrIdsOfEachLine) {
  const testing::TemporaryFolder folder;
  folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\noil\nfall\n##s\n");
  const auto path = folder.path().string();
  const auto tokens = run_program({"tokenize", path}, "Oil falls\n\nteam");
  EXPECT_EQ(tokens.code, 0);
  EXPECT_EQ(tokens.output, "[CLS] oil fall ##s [SEP]\n[CLS] [SEP]\n[CLS] team [SEP]\n");
  const auto file = folder.write("lines.txt", "Oil falls\n\nteam\n");
  const auto ids = run_program({"tokenize", path, file.string(), "--ids"});
  EXPECT_EQ(ids.code, 0);
  EXPECT_EQ(ids.output, "2 4 5 6 3\n2 3\n2 1 3\n");
}

TEST(TokenizeCommand, ReadsOtherEncodingsByTheirMarkAndNamesHowToConvertThem) {
  const testing::TemporaryFolder folder;
  folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\noil\nfall\n##s\n");
  const Words command = {"tokenize", folder.path().string()};
  expect_refusal(run_program(command, "caf\xE9\n"), {"standard input:1", "0xE9", "iconv"});
  const auto narrow = run_program(command, "Oil caf\u00e9\n");
  EXPECT_EQ(narrow.code, 0) << narrow.output;
  const auto wide =
      run_program(command, std::string("\xFF\xFEO\0i\0l\0 \0c\0a\0f\0\xE9\0\n\0", 20));
  EXPECT_EQ(wide.code, 0) << wide.output;
  EXPECT_EQ(wide.output, narrow.output);
}

TEST(TokenizeCommand, RefusesWhatHasNoTokenizer) {
  const testing::TemporaryFolder folder;
  const auto empty = run_program({"tokenize", folder.path().string()}, "text\n");
  EXPECT_EQ(empty.code, 1);
  EXPECT_MENTIONS(empty.output, "tokenizer.json");
  const auto none = run_program({"tokenize", (folder / "none").string()}, "text\n");
  EXPECT_EQ(none.code, 1);
  EXPECT_MENTIONS(none.output, "none", "folder");
  folder.write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\n");
  EXPECT_EQ(run_program({"tokenize", folder.path().string(), "gone.txt"}).code, 1);
}

}  // namespace
}  // namespace fastformer::cli

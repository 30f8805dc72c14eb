// Files as people have them.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/classification/readers/reader.h"
#include "support/temporary_folder.h"

namespace fastformer::classification {
namespace {

using Words = std::vector<std::string>;

class ReadersTest : public ::testing::Test {
 protected:
  // "label|text" of each row.
  Words rows(const std::string& content, const std::string& name = "a.csv") {
    return rows_of(folder_.write(name, content).string());
  }
  Words rows_of(const std::string& file) {
    const auto reader = open_reader(config_, file);
    Words all;
    for (Example example; reader->next(example);) all.push_back(example.label + "|" + example.text);
    notices_ = reader->notices();
    fields_ = reader->fields();
    return all;
  }
  std::string error(const std::string& content, const std::string& name = "a.csv") {
    return testing::error_of([&] { rows(content, name); });
  }
  void name_columns(const std::string& text, const std::string& label) {
    config_.text_columns = {text};
    config_.label_column = label;
  }
  static std::string many(const std::string& row, int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += row;
    return all;
  }

  testing::TemporaryFolder folder_;
  DataConfig config_ = {.text_columns = {"text"}, .label_column = "label"};
  Words notices_;
  std::vector<Field> fields_;
};

TEST_F(ReadersTest, NamesOfColumnsAreTrimmedAndEmptyCellsAtTheEndAreNone) {
  const Words expected = {"p|a, b", "n|c"};
  EXPECT_EQ(rows("label, text\np,\"a, b\"\nn,c\n"), expected);
  EXPECT_EQ(rows("label,text\np,\"a, b\",\nn,c,,\n"), expected);
  EXPECT_EQ(rows("label,text,,\np, \"a, b\"\nn,c,,spilled\n"), expected);
  EXPECT_EQ(rows("sep=;\nlabel;text\np;a, b\nn;c\n"), expected);
}

TEST_F(ReadersTest, ARowMustHoldTheColumnsThatAreUsed) {
  name_columns("2", "1");
  config_.header = HeaderRow::kNo;
  EXPECT_EQ(rows("p,a,\nn,b\n"), (Words{"p|a", "n|b"}));
  EXPECT_MENTIONS(error("p,\nn\n"), "a.csv:2", "1 columns");
}

TEST_F(ReadersTest, BadRowsAreRefusedOrSkippedAndCounted) {
  const std::string content = "label,text\np,a\nn,b, c\np,\"d\" e\nn,f\nn\n";
  EXPECT_MENTIONS(error(content), "a.csv:3", "3 columns", "quotes", "bad_rows");
  config_.bad_rows = data::BadRows::kSkip;
  EXPECT_EQ(rows(content), (Words{"p|a", "n|f"}));
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_MENTIONS(notices_[0], "3 bad rows", "a.csv:3");
  config_.format = "jsonl";
  EXPECT_EQ(rows("{\"label\":1,\"text\":\"a\"}\n{\"label\"\n{\"label\":2,\"text\":\"b\"}\n"),
            (Words{"1|a", "2|b"}));
}

TEST_F(ReadersTest, TheHeadingIsToldByTheData) {
  name_columns("2", "1");
  const std::string body = many("ham,see you soon,,,\nspam,you win five pounds,,,\n", 6);
  EXPECT_EQ(rows("v1,v2,,,\n" + body).size(), 12U);
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_MENTIONS(notices_[0], "'v1', 'v2'", "data.header");
  EXPECT_EQ(fields_.at(1).name, "v2");
  const std::string letters = many("y,great sturdy chair\nn,awful noisy fan\n", 6);
  EXPECT_EQ(rows(letters).size(), 12U);
  EXPECT_TRUE(notices_.empty());
  EXPECT_EQ(rows("Sentiment_Label,Review\n" + letters).size(), 12U);
}

TEST_F(ReadersTest, ANoticeIsCutBetweenCharacters) {
  name_columns("2", "1");
  std::string heading = "label,";
  for (int i = 0; i < 100; ++i) heading += "\u00e9";
  rows(heading + "\n" + many("1,a longer text than the heading\n", 3));
  ASSERT_EQ(notices_.size(), 1U);
  const auto shown = notices_[0].substr(0, notices_[0].find("..."));
  EXPECT_EQ(shown.back(), '\xa9');  // the last byte of U+00E9
}

TEST_F(ReadersTest, LabelsThatLookAlikeAreOne) {
  const auto labels = rows(
      "label,text\ncaf\u00e9,a\ncafe\u0301,a\n\u200Bcaf\u00e9\uFEFF ,a\n"
      "1,a\n1.0,a\n 1. ,a\n0.50,a\nPos,a\npos,a\n007,a\n-0.0,a\n+1,a\n");
  const Words expected = {"caf\u00e9|a", "caf\u00e9|a", "caf\u00e9|a", "1|a",   "1|a", "1|a",
                          "0.5|a",       "Pos|a",       "pos|a",       "007|a", "0|a", "+1|a"};
  EXPECT_EQ(labels, expected);
}

TEST_F(ReadersTest, WordsForNothingAreNamesOfClasses) {
  const Words labels = {"+ve", "-1", "-ve", "N/A", "NA", "None", "nan", "null"};
  std::string content = "label,text\n";
  Words expected;
  for (const auto& label : labels) {
    content += label + ",a text\n";
    expected.push_back(label + "|a text");
  }
  EXPECT_EQ(rows(content), expected);
  config_.train = {(folder_ / "a.csv").string()};
  EXPECT_EQ(prepare(config_, text::TokenizerConfig(), {.members = {}}, folder_ / "cache").labels,
            labels);
  config_.format = "jsonl";
  EXPECT_EQ(rows("{\"text\":\"a\",\"label\":true}\n{\"text\":\"b\",\"label\":false}\n"),
            (Words{"true|a", "false|b"}));
}

TEST_F(ReadersTest, AFileWithoutRowsOrALabelIsRefused) {
  EXPECT_MENTIONS(error("label,text\n"), "a.csv", "no rows");
  for (const char* empty : {"", " ", "\u200b"}) {
    config_.train = {
        folder_.write("b.csv", std::string("label,text\np,a\n") + empty + ",b\n").string()};
    EXPECT_MENTIONS(testing::error_of([&] {
                      prepare(config_, text::TokenizerConfig(), {.members = {}}, folder_ / "cache");
                    }),
                    "b.csv:3", "has no label");
  }
}

TEST_F(ReadersTest, OtherEncodingsAreNamedInTheRecipe) {
  EXPECT_MENTIONS(error("label,text\np,caf\xE9\n"), "a.csv:2", "data.encoding");
  config_.encoding.encoding = "windows-1252";
  EXPECT_EQ(rows("label,text\np,caf\xE9\n"), (Words{"p|caf\u00e9"}));
  config_.encoding = {.invalid_utf8 = data::InvalidText::kReplace};
  EXPECT_EQ(rows("label,text\np,caf\xE9\n"), (Words{"p|caf\uFFFD"}));
  EXPECT_MENTIONS(notices_.at(0), "1 byte sequences");
}

TEST_F(ReadersTest, FoldersOfAnyNamesAreClasses) {
  config_ = {.format = "folders"};
  for (const char* name : {"root/sport/deep", "root/money", "root/.git"}) {
    std::filesystem::create_directories(folder_ / name);
  }
  folder_.write("root/sport/1.txt", "team\nwins\n");
  folder_.write("root/sport/deep/2.md", "cup");
  folder_.write("root/money/1.txt", "oil");
  folder_.write("root/money/.hidden", "no");
  folder_.write("root/readme.txt", "no");
  EXPECT_EQ(rows_of((folder_ / "root").string()),
            (Words{"money|oil", "sport|team\nwins", "sport|cup"}));
  EXPECT_MENTIONS(error("x", "plain.txt"), "plain.txt", "folder");
}

TEST_F(ReadersTest, AColumnIsNamedOnceAndItsNamesStandOnce) {
  DataConfig config;
  config.text_columns = {"text"};
  config.label_column = "label";
  const auto error = [&](const std::string& rows) {
    const auto file = folder_.write("rows.csv", rows);
    return testing::error_of([&] {
      const auto reader = open_reader(config, file);
      for (Example example; reader->next(example);) {
      }
    });
  };
  EXPECT_MENTIONS(error("label,text,text\npos,great,other\n"), "rows.csv:1",
                  "several columns are named 'text'", "number");
  const std::string joined = "label,text\npos,great\nlabel,text\nneg,broken\n";
  EXPECT_MENTIONS(error(joined), "rows.csv:3", "repeats the column names", "bad_rows");
  config.bad_rows = data::BadRows::kSkip;
  EXPECT_EQ(error(joined), "");
}

TEST_F(ReadersTest, FoldersOfPartsAreNoClasses) {
  for (const auto* part : {"train", "test"}) {
    const auto folder = folder_ / "parts" / part / "pos";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "1.txt") << "a text";
  }
  DataConfig config;
  config.format = "folders";
  EXPECT_MENTIONS(testing::error_of([&] { open_reader(config, folder_ / "parts"); }), "'test'",
                  "parts of a data set", "data.test = ");
}

TEST_F(ReadersTest, FoldersOfOtherNamesAreNoImdb) {
  config_ = {.format = "imdb"};
  for (const char* name : {"root/sport", "root/money"}) {
    std::filesystem::create_directories(folder_ / name);
    folder_.write(std::string(name) + "/1_9.txt", "a text");
  }
  EXPECT_MENTIONS(testing::error_of([&] { rows_of((folder_ / "root").string()); }),
                  "root: has no folder 'neg'", "data.format = \"folders\"");
}

TEST_F(ReadersTest, FasttextLinesHaveOneLabel) {
  config_ = {.format = "fasttext"};
  EXPECT_EQ(rows("__label__pos , soft blanket\n\n__label__neg bad\n"),
            (Words{"pos|, soft blanket", "neg|bad"}));
  EXPECT_MENTIONS(error("__label__pos __label__home soft\n"), "a.csv:1", "'pos'", "'home'");
}

TEST_F(ReadersTest, LinesOfFasttextReadAsATableAreNamed) {
  name_columns("2", "1");
  EXPECT_MENTIONS(error("__label__pos soft, warm\n__label__neg bad, loud\n"), "a.csv:1",
                  "data.format = \"fasttext\"");
  EXPECT_MENTIONS(error("__label__pos soft\n__label__neg bad\n"), "a.csv:1",
                  "data.format = \"fasttext\"");
  EXPECT_EQ(rows("__label__pos,soft\n__label__neg,bad\n"),
            (Words{"__label__pos|soft", "__label__neg|bad"}));
}

TEST_F(ReadersTest, WhatIsNoTableOfTheseColumnsSaysWhatToDo) {
  EXPECT_MENTIONS(error("label^text\np^a\n"), "a.csv:1", "one cell", "data.delimiter");
  config_.dialect.delimiter = "^";
  EXPECT_EQ(rows("label^text\np^a\n"), (Words{"p|a"}));
  EXPECT_MENTIONS(testing::error_of([&] { rows_of(folder_.path().string()); }), "is a folder",
                  "data.format = \"folders\"");
  EXPECT_MENTIONS(testing::error_of([&] { rows_of("data\rows.csv"); }), "does not exist",
                  "backslashes", "TOML");
}

TEST_F(ReadersTest, JsonMayBeAnArrayAndKeepsItsTypes) {
  config_.format = "jsonl";
  EXPECT_EQ(
      rows("[\n{\"text\": \"a\", \"label\": 1, \"id\": 7},\n{\"text\": \"b\", \"label\": 1.0}]"),
      (Words{"1|a", "1|b"}));
  EXPECT_EQ(rows("{\"text\":\"a\",\"label\":1}\n"), (Words{"1|a"}));
  EXPECT_MENTIONS(error("{\"text\":\"a\",\"label\":[\"x\",\"y\"]}\n"), "several labels");
}

TEST_F(ReadersTest, FieldsOfJsonKeepTheirOrder) {
  config_.format = "jsonl";
  const auto reader = open_reader(
      config_,
      folder_.write("a.jsonl", R"({"text":"a","more":{"x":[1,null]},"label":"1","no":null})"));
  Example example;
  ASSERT_TRUE(reader->next(example));
  const auto fields = reader->fields();
  ASSERT_EQ(fields.size(), 4U);
  EXPECT_EQ(fields[0].name + "=" + fields[0].value, "text=a");
  EXPECT_EQ(fields[1].name + "=" + fields[1].value, "more={\"x\":[1,null]}");
  EXPECT_TRUE(fields[1].is_json && fields[3].is_json && fields[3].value.empty());
}

TEST_F(ReadersTest, ALabelOfManyMarksIsNormalizedAtOnce) {
  std::string label = "e";
  for (int i = 0; i < 200'000; ++i) label += "\u0301\u0323";
  EXPECT_LT(normalized_label(label).size(), 100U);
}

TEST_F(ReadersTest, AHeadingOfMindIsRefused) {
  config_ = {.format = "mind"};
  EXPECT_MENTIONS(
      error("news_id\tCategory\tsubcategory\tTitle\tabstract\nN1\ta\tb\tc\td\n", "news.tsv"),
      "news.tsv:1", "is a header row");
}

TEST_F(ReadersTest, OddDataAreNoticed) {
  std::string numbers = "label,text\n", short_texts = "label,text\n";
  for (int i = 0; i < 60; ++i) {
    numbers += std::to_string(i) + ".5,a great chair\n";
    short_texts += std::string(i % 2 == 0 ? "p" : "n") + ",w" + std::to_string(i) + "\n";
  }
  const auto notices = [&](const std::string& content) {
    config_.train = {folder_.write("a.csv", content).string()};
    std::string all;
    const auto dataset =
        prepare(config_, text::TokenizerConfig(), {.members = {}}, folder_ / "cache");
    // A second call opens what the first one saved.
    const auto again =
        prepare(config_, text::TokenizerConfig(), {.members = {}}, folder_ / "cache");
    EXPECT_EQ(again.notices, dataset.notices);
    for (const auto& notice : dataset.notices) all += notice + "\n";
    return all;
  };
  EXPECT_MENTIONS(notices(numbers), "60 different labels", "regression");
  EXPECT_MENTIONS(notices(short_texts), "1.0 tokens", "100 % of the tokens");
  std::string long_texts = "label,text\n", repeated = long_texts;
  for (int i = 0; i < 60; ++i) {
    const std::string label = i % 2 == 0 ? "p" : "n";
    long_texts += label + ",a great chair that is number " + std::to_string(i) + "\n";
    repeated += label + ",a great chair\n";
  }
  EXPECT_EQ(notices(long_texts), "");
  config_.max_tokens = 6;
  EXPECT_MENTIONS(notices(long_texts), "100 % of the training texts are truncated");
  config_.validation_fraction = config_.test_fraction = 0.2;
  EXPECT_EQ(notices(long_texts).find("also training texts"), std::string::npos);
  EXPECT_MENTIONS(notices(repeated), "12 of the 12 validation texts are also training texts",
                  "12 of the 12 test texts", "data.group_column");
}

}  // namespace
}  // namespace fastformer::classification

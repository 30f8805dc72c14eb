#include "fastformer/classification/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "fastformer/base/atomic_file.h"
#include "fastformer/classification/dataset_scan.h"
#include "fastformer/classification/readers/reader.h"
#include "support/temporary_folder.h"

namespace fastformer::classification {
namespace {

DataConfig config_for(const std::string& format, const std::string& file) {
  DataConfig config;
  config.format = format;
  config.train = {file};
  config.header = HeaderRow::kNo;
  config.text_columns = {"2"};
  config.label_column = "1";
  return config;
}

std::vector<Example> read_all(const DataConfig& config) {
  std::vector<Example> examples;
  const auto reader = open_reader(config, config.train.front());
  for (Example example; reader->next(example);) examples.push_back(example);
  return examples;
}

class DataTest : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) {
    return folder_.write(name, content).string();
  }
  std::string prepare_error(const DataConfig& config) {
    text::TokenizerConfig text_config;
    text_config.minimum_count = 1;
    return testing::error_of([&] { prepare(config, text_config, linear_, folder_ / "cache"); });
  }
  Dataset prepared(const DataConfig& config) {
    text::TokenizerConfig text_config;
    text_config.minimum_count = 1;
    return prepare(config, text_config, linear_, folder_ / "cache");
  }
  linear::LinearConfig linear_{.members = {}};
  testing::TemporaryFolder folder_;
};

TEST_F(DataTest, CsvReadsQuotesAndLinesInside) {
  const auto rows = read_all(config_for("csv", write("a.csv", "x,\"a \"\"b\"\"\nc\"\r\ny,d\n")));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].text, "a \"b\"\nc");
  EXPECT_EQ(rows[1].label, "y");
  EXPECT_NE(rows[1].where.find("a.csv:3"), std::string::npos) << rows[1].where;
}

TEST_F(DataTest, ACacheWithRightChecksumsIsCheckedAllTheSame) {
  const auto config = config_for("csv", write("a.csv", "x,a b\ny,c d\nx,a d\n"));
  ASSERT_EQ(prepared(config).train.size(), 3);
  const auto folder = std::filesystem::directory_iterator(folder_ / "cache")->path();
  // Puts other rows in a file, and has its checksum recorded as that of any file.
  const auto error = [&](const std::string& file,
                         const std::vector<std::vector<std::int32_t>>& rows) {
    const auto whole = base::read_file(folder / file);
    const auto sums = base::read_file(folder / "checksums.json");
    data::CorpusWriter writer(folder / file);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      writer.add(rows[i], static_cast<std::int64_t>(i));
    }
    writer.finish();
    auto json = nlohmann::json::parse(sums);
    json.erase(file);  // only what it lists is compared
    std::ofstream(folder / "checksums.json") << json;
    const auto message = prepare_error(config);
    std::ofstream(folder / file, std::ios::binary) << whole;
    std::ofstream(folder / "checksums.json") << sums;
    return message;
  };
  EXPECT_MENTIONS(error("train.labels", {{0}, {2}, {1}}), "train.labels", "the number 2",
                  "from 0 to 1", "delete the folder");
  EXPECT_MENTIONS(error("train.labels", {{0}, {-1}, {1}}), "the number -1");
  EXPECT_MENTIONS(error("train.labels", {{0}, {}, {1}}), "a label for each");
  EXPECT_MENTIONS(error("train.labels", {{0}, {1}}), "3 texts", "2 labels");
  EXPECT_MENTIONS(error("train.tokens", {{0}, {1'000'000}, {1}}), "train.tokens", "1000000");
  EXPECT_MENTIONS(error("train.ngrams", {{0}, {0}, {0}}), "train.ngrams", "the number 0");
  EXPECT_EQ(prepare_error(config), "");
}

TEST_F(DataTest, ColumnsAreFoundByName) {
  auto config = config_for("tsv", write("a.tsv", "topic\ttitle\tbody\nx\ta\tb\n"));
  config.header = HeaderRow::kYes;
  config.text_columns = {"title", "body"};
  config.label_column = "topic";
  const auto rows = read_all(config);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].text, "a b");
  config.label_column = "tropic";
  EXPECT_MENTIONS(testing::error_of([&] { read_all(config); }), "tropic", "topic");
}

TEST_F(DataTest, JsonlTakesAnyFieldNames) {
  auto config = config_for("jsonl", write("a.jsonl",
                                          "{\"r\": \"good\", \"n\": 5.0}\n\n"
                                          "{\"r\": \"bad\", \"n\": 1}\n"));
  config.text_columns = {"r"};
  config.label_column = "n";
  const auto rows = read_all(config);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].label, "5");
  write("a.jsonl", "{\"r\": \"good\", \"n\": 5}\n{\"r\": \n");
  EXPECT_MENTIONS(testing::error_of([&] { read_all(config); }), "a.jsonl:2");
}

TEST_F(DataTest, ImdbReadsFoldersAndRatings) {
  for (const auto* name : {"pos/1_9.txt", "neg/2_3.txt"}) {
    const auto path = folder_ / "imdb" / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "a film";
  }
  auto config = config_for("imdb", (folder_ / "imdb").string());
  auto rows = read_all(config);
  ASSERT_EQ(rows.size(), 2u);
  std::set<std::string> labels = {rows[0].label, rows[1].label};
  EXPECT_EQ(labels, (std::set<std::string>{"neg", "pos"}));
  config.imdb_labels = ImdbLabels::kRatings;
  rows = read_all(config);
  labels = {rows[0].label, rows[1].label};
  EXPECT_EQ(labels, (std::set<std::string>{"3", "9"}));
}

TEST_F(DataTest, ImdbReviewsOfAFilmAreAGroup) {
  for (const auto* name : {"pos/0_9.txt", "pos/1_8.txt", "pos/7_8.txt", "neg/0_3.txt"}) {
    const auto path = folder_ / "imdb" / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "a film";
  }
  const auto groups = [&] {
    std::map<std::string, std::string> by_file;
    for (const auto& row : read_all(config_for("imdb", (folder_ / "imdb").string()))) {
      const std::filesystem::path file = row.where;
      by_file[file.parent_path().filename().string() + "/" + file.filename().string()] = row.group;
    }
    return by_file;
  };
  for (const auto& [file, group] : groups()) EXPECT_EQ(group, "") << file;
  std::ofstream(folder_ / "imdb/urls_pos.txt") << "http://films/first\nhttp://films/second\n";
  std::ofstream(folder_ / "imdb/urls_neg.txt") << "http://films/second\n";
  EXPECT_EQ(groups(), (std::map<std::string, std::string>{{"neg/0_3.txt", "http://films/second"},
                                                          {"pos/0_9.txt", "http://films/first"},
                                                          {"pos/1_8.txt", "http://films/second"},
                                                          {"pos/7_8.txt", ""}}));
}

TEST_F(DataTest, MindAndDebianReadTheirFields) {
  const auto mind = read_all(config_for(
      "mind", write("news.tsv", "N1\tsports\tgolf\tTitle\tAbstract\thttp://x\t[]\t[]\n")));
  ASSERT_EQ(mind.size(), 1u);
  EXPECT_EQ(mind[0].label, "sports");
  EXPECT_EQ(mind[0].text, "Title Abstract");
  const auto debian = read_all(
      config_for("debian", write("packages.txt",
                                 "Package: fastd\nSource: fastd-src (1.2)\n"
                                 "Section: contrib/net\nDescription: small VPN\n runs.\n")));
  ASSERT_EQ(debian.size(), 1u);
  EXPECT_EQ(debian[0].label, "net");
  EXPECT_EQ(debian[0].group, "fastd-src");
}

TEST_F(DataTest, BadRowsNameFileAndLine) {
  const auto error = [&](const std::string& content) {
    const auto config = config_for("csv", write("bad.csv", content));
    return testing::error_of([&] { read_all(config); });
  };
  EXPECT_MENTIONS(error("x,a\ny\n"), "bad.csv:2");
  EXPECT_MENTIONS(error("x,a\ny,\"b\n"), "bad.csv:2");
  EXPECT_MENTIONS(error("x,\xc0\xaf\n"), "bad.csv:1", "UTF-8");
  EXPECT_MENTIONS(error(std::string("x,a\0b\n", 6)), "bad.csv:1");
  EXPECT_MENTIONS(error(""), "bad.csv");
  EXPECT_MENTIONS(error("x," + std::string(std::size_t{100} << 20, 'a') + "\n"), "bad.csv:1");
  EXPECT_MENTIONS(testing::error_of([&] { read_all(config_for("csv", "gone.csv")); }), "gone.csv");
  EXPECT_MENTIONS(testing::error_of([&] { read_all(config_for("csv", folder_.path().string())); }),
                  folder_.path().string());
}

TEST_F(DataTest, PreparesPartsLabelsAndCuts) {
  std::string rows;
  for (int i = 0; i < 100; ++i) rows += (i % 4 == 0 ? "b," : "a,") + std::string("one two three\n");
  rows += "a,\n";
  auto config = config_for("csv", write("a.csv", rows));
  config.validation_fraction = 0.2;
  config.max_tokens = 2;
  const auto first = prepared(config);
  EXPECT_EQ(first.labels, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(first.train.size() + first.validation.size(), 101);
  EXPECT_NEAR(static_cast<double>(first.validation.size()), 20, 1);
  EXPECT_EQ(first.train.texts.empty() + first.validation.texts.empty(), 1);
  EXPECT_EQ(first.train.texts.truncated() + first.validation.texts.truncated(), 100);
  EXPECT_NE(first.summary().find("truncated"), std::string::npos);
  // A second run opens the cache.
  const auto second = prepared(config);
  ASSERT_EQ(second.train.size(), first.train.size());
  EXPECT_EQ(second.tokenizer->vocabulary_size(), first.tokenizer->vocabulary_size());
  export_parts(config, folder_ / "parts");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "parts/validation.tsv"));
}

TEST_F(DataTest, AClassOfOneRowIsTrained) {
  std::string rows = "rare,five\n";
  for (int i = 0; i < 50; ++i) rows += i % 2 == 0 ? "a,one two\n" : "b,three four\n";
  auto config = config_for("csv", write("a.csv", rows));
  config.validation_fraction = config.test_fraction = 0.2;
  for (config.split_seed = 1; config.split_seed < 6; ++config.split_seed) {
    const auto dataset = prepared(config);
    EXPECT_EQ(dataset.labels, (std::vector<std::string>{"a", "b", "rare"}));
    EXPECT_EQ(dataset.train.class_counts(3), (std::vector<std::int64_t>{15, 15, 1}));
    EXPECT_EQ(dataset.validation.class_counts(3), (std::vector<std::int64_t>{5, 5, 0}));
    EXPECT_EQ(dataset.test.class_counts(3), (std::vector<std::int64_t>{5, 5, 0}));
  }
}

TEST_F(DataTest, TheSummaryShowsTheFirstOfManyClasses) {
  std::string rows;
  for (int i = 10; i < 70; ++i) rows += "c" + std::to_string(i) + ",one two\n";
  const auto summary = prepared(config_for("csv", write("a.csv", rows))).summary();
  EXPECT_MENTIONS(summary, "\nc10 ", "\nc59 ", "\nand 10 more classes\n");
  EXPECT_EQ(summary.find("c60"), std::string::npos) << summary;
}

TEST_F(DataTest, TestFilesMayHaveTextColumnsOfTheirOwn) {
  auto config = config_for("csv", write("a.csv", "x,one\ny,two\n"));
  config.test = {write("t.csv", "x,two,one two\n")};
  config.test_text_columns = {"2", "3"};
  const auto dataset = prepared(config);
  ASSERT_EQ(dataset.test.size(), 1);
  EXPECT_EQ(dataset.test.texts.tokens(0).size(), 3u);
  EXPECT_EQ(dataset.train.texts.tokens(0).size(), 1u);
  export_parts(config, folder_ / "parts");
  std::ifstream file(folder_ / "parts/test.tsv");
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "x\ttwo one two");

  config.test_text_columns = {"1"};
  EXPECT_MENTIONS(prepare_error(config), "test_text_columns", "label");
  config.test.clear();
  config.test_text_columns = {"2"};
  EXPECT_MENTIONS(prepare_error(config), "test_text_columns", "data.test");
}

TEST_F(DataTest, ExportedPartsAreReadAgain) {
  const auto config = config_for(
      "csv", write("a.csv", "x,\"\"\"Yes,\"\"  he\nsaid\"\ny,it is 5\"\" wide\ny, a\tb \n"));
  const std::vector<std::string> texts = {"\"Yes,\" he said", "it is 5\"\" wide", "a b"};
  export_parts(config, folder_ / "parts");
  const auto again = read_all(config_for("tsv", (folder_ / "parts/train.tsv").string()));
  ASSERT_EQ(again.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(again[i].text, texts[i]);
}

TEST_F(DataTest, RefusesLabelsThatCannotBeLearned) {
  auto config = config_for("csv", write("a.csv", "x,a\nx,b\n"));
  EXPECT_MENTIONS(prepare_error(config), "class");
  config = config_for("csv", write("b.csv", "x,a\ny,b\n"));
  config.test = {write("t.csv", "z,c\n")};
  EXPECT_MENTIONS(prepare_error(config), "t.csv:1", "'z'");
  config.test.clear();
  config.train.clear();
  EXPECT_MENTIONS(prepare_error(config), "data.train");
}

TEST_F(DataTest, EvaluationKnowsTheModelsLabelsOnly) {
  const auto config = config_for("csv", write("a.csv", "x,one\ny,two\n"));
  const auto dataset = prepared(config);
  std::vector<std::int32_t> labels;
  const auto evaluate = [&](const std::string& content) {
    for_each_labelled_piece(config, {write("e.csv", content)}, *dataset.tokenizer,
                            /*ngrams=*/nullptr, dataset.labels, [&](const LabelledCorpus& piece) {
                              for (std::int64_t row = 0; row < piece.size(); ++row) {
                                labels.push_back(piece.label(row));
                              }
                            });
  };
  evaluate("y,one\nx,two\n");
  EXPECT_EQ(labels, (std::vector<std::int32_t>{1, 0}));
  EXPECT_MENTIONS(testing::error_of([&] { evaluate("z,one\n"); }), "e.csv:1", "'z'");
}

TEST_F(DataTest, ExamplesInMemoryMakeTheDatasetOfTheirFile) {
  std::string rows;
  std::vector<Example> examples;
  for (int i = 0; i < 60; ++i) {
    const std::string label = i % 3 == 0 ? "b" : "a", text = "word" + std::to_string(i) + " again";
    rows += label + "," + text + "\n";
    examples.push_back({.text = text, .label = label});
  }
  auto config = config_for("csv", write("a.csv", rows));
  config.validation_fraction = 0.2;
  config.test_fraction = 0.1;
  const auto of_file = prepared(config);
  text::TokenizerConfig text_config;
  text_config.minimum_count = 1;
  config.train.clear();
  const auto in_memory = prepare(examples, config, text_config, linear_);
  EXPECT_EQ(in_memory.labels, of_file.labels);
  for (const auto part : {&Dataset::train, &Dataset::validation, &Dataset::test}) {
    const auto &a = in_memory.*part, &b = of_file.*part;
    ASSERT_EQ(a.size(), b.size());
    for (std::int64_t row = 0; row < a.size(); ++row) {
      EXPECT_EQ(a.label(row), b.label(row));
      EXPECT_TRUE(std::ranges::equal(a.texts.tokens(row), b.texts.tokens(row)));
    }
  }
  EXPECT_MENTIONS(testing::error_of([&] { prepare({}, config, text_config, linear_); }),
                  "no examples");
}

}  // namespace
}  // namespace fastformer::classification

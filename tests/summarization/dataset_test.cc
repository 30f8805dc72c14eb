#include "fastformer/summarization/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fastformer/data/batch_plan.h"
#include "fastformer/summarization/readers/reader.h"
#include "support/temporary_folder.h"

namespace fastformer::summarization {
namespace {

class PairTest : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) {
    return folder_.write(name, content).string();
  }
  DataConfig config_for(const std::string& format, const std::string& entry) {
    DataConfig config;
    config.format = format;
    config.train = {entry};
    return config;
  }
  std::vector<TextPair> read_all(const DataConfig& config) {
    std::vector<TextPair> pairs;
    for_each_pair(config, config.train, [&](TextPair& pair) { pairs.push_back(pair); });
    return pairs;
  }
  std::string read_error(const DataConfig& config) {
    return testing::error_of([&] { read_all(config); });
  }
  static text::TokenizerConfig words() {
    text::TokenizerConfig config;
    config.minimum_count = 1;
    return config;
  }
  Dataset prepared(const DataConfig& config) { return prepare(config, words(), folder_ / "cache"); }
  std::string prepare_error(const DataConfig& config) {
    return testing::error_of([&] { prepared(config); });
  }
  // `count` pairs; the document of pair i has i + 1 words of its own.
  std::string write_pairs(const std::string& name, int count) {
    std::string lines;
    for (int i = 0; i < count; ++i) {
      std::string source;
      for (int k = 0; k <= i; ++k) source += "d" + std::to_string(i) + " ";
      lines += R"({"source": ")" + source + R"(", "target": "s)" + std::to_string(i) + "\"}\n";
    }
    return write(name, lines);
  }
  testing::TemporaryFolder folder_;
};

TEST_F(PairTest, JsonlTakesTextsAndListsOfSentences) {
  auto config =
      config_for("jsonl", write("a.jsonl",
                                "{\"chunk\": 1, \"article\": \" One .\\r\\nTwo <b>.\\r\", "
                                "\"highlights\": [\"a .\", \"b .\"]}\r\n\n"
                                "{\"article\": null, \"highlights\": []}\n"));
  config.source_field = "article";
  config.target_field = "highlights";
  const auto pairs = read_all(config);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].source, "One .\nTwo <b>.");
  EXPECT_EQ(pairs[0].target, "a .\nb .");
  EXPECT_TRUE(pairs[1].empty());
  EXPECT_MENTIONS(pairs[1].where, "a.jsonl:3");
}

TEST_F(PairTest, JsonlTellsWhatIsWrong) {
  auto config = config_for("jsonl", write("a.jsonl", "{\"source\": \"x\", \"targat\": \"y\"}\n"));
  EXPECT_MENTIONS(read_error(config), "a.jsonl:1", "'target'", "did you mean 'targat'");
  config.train = {write("b.jsonl", "{\"source\": {\"a\": 1}, \"target\": \"y\"}\n")};
  EXPECT_MENTIONS(read_error(config), "b.jsonl:1", "'source'", "object", "list of strings");
  config.train = {write("c.jsonl", "{\"source\": [1], \"target\": \"y\"}\n")};
  EXPECT_MENTIONS(read_error(config), "c.jsonl:1", "number");
  config.train = {write("d.jsonl", "[]\n")};
  EXPECT_MENTIONS(read_error(config), "d.jsonl", "contains no pairs");
  config.train = {write("e.jsonl", "\n\n")};
  EXPECT_MENTIONS(read_error(config), "e.jsonl", "no pairs");
  config.train = {(folder_ / "missing.jsonl").string()};
  EXPECT_MENTIONS(read_error(config), "missing.jsonl", "does not exist");
}

TEST_F(PairTest, StoriesHoldTextAndHighlights) {
  std::filesystem::create_directory(folder_ / "stories");
  write("stories/b.story",
        "(CNN) First.\r\n\r\n  Second.\n\n@highlight\n\nOne thing\n\n@highlight\n\nOther\nthing\n");
  write("stories/a.story", "No summary.\n");
  write("stories/notes.txt", "x");
  const auto pairs = read_all(config_for("story", (folder_ / "stories").string()));
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].source, "No summary.");
  EXPECT_EQ(pairs[0].target, "");
  EXPECT_EQ(pairs[1].source, "(CNN) First.\nSecond.");
  EXPECT_EQ(pairs[1].target, "One thing\nOther thing");
  EXPECT_EQ(read_all(config_for("story", (folder_ / "stories/b.story").string())).size(), 1u);

  std::filesystem::create_directory(folder_ / "none");
  EXPECT_MENTIONS(read_error(config_for("story", (folder_ / "none").string())), "none", ".story");
  EXPECT_MENTIONS(read_error(config_for("story", write("x.story", "\xFF"))), "x.story:1", "UTF-8");
}

TEST_F(PairTest, PubmedLosesItsMarks) {
  const auto pairs = read_all(
      config_for("pubmed", write("p.txt",
                                 "{\"article_id\": \"1\", \"article_text\": [\"a b .\", \"c .\"], "
                                 "\"abstract_text\": [\"<S> x y . </S>\", \"<S> z </S>\"]}\n")));
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].source, "a b .\nc .");
  EXPECT_EQ(pairs[0].target, "x y .\nz");
}

TEST_F(PairTest, ParallelFilesGoLineByLine) {
  write("p.source", "a\n\nc\r\n");
  write("p.target", "x\ny\nz");
  const auto config = config_for("parallel", (folder_ / "p").string());
  const auto pairs = read_all(config);
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_TRUE(pairs[1].empty());
  EXPECT_EQ(pairs[2].source + pairs[2].target, "cz");
  write("p.target", "x\ny\nz\nw\nv\n");
  EXPECT_MENTIONS(read_error(config), "p.source has 3 lines", "p.target has 5 lines");
  write("p.source", "");
  write("p.target", "");
  EXPECT_MENTIONS(read_error(config), "no pairs");
}

TEST_F(PairTest, TablesHavePairsInTwoColumns) {
  auto config = config_for(
      "csv", write("a.csv", "id,document, summary\n1,\"One, two.\nThree.\",short\n2,b,\n"));
  config.source_field = "document";
  config.target_field = "summary";
  const auto pairs = read_all(config);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].source, "One, two.\nThree.");
  EXPECT_EQ(pairs[0].target, "short");
  EXPECT_TRUE(pairs[1].empty());
  EXPECT_MENTIONS(pairs[1].where, "a.csv:4");
  config.train = {write("b.csv", "sep=;\ndocument;summary\na, b;c\n")};
  EXPECT_EQ(read_all(config)[0].source, "a, b");
  config.format = "tsv";
  config.train = {write("c.tsv", "summary\tdocument\n\"c\ta b\n")};
  EXPECT_EQ(read_all(config)[0].target, "\"c");
  config.format = "csv";
  config.train = {write("d.csv", "document,summery\na,b\n")};
  EXPECT_MENTIONS(read_error(config), "d.csv:1", "'summary'", "did you mean 'summery'");
  config.train = {write("e.csv", "document,summary\na,b, c\n")};
  EXPECT_MENTIONS(read_error(config), "e.csv:2", "3 columns", "quotes");
  config.train = {write("f.csv", "")};
  EXPECT_MENTIONS(read_error(config), "f.csv", "no pairs");
}

TEST_F(PairTest, ConfigurationIsChecked) {
  const auto error = [](auto&& change) {
    DataConfig config;
    change(config);
    return testing::error_of([&] { config.validate(); });
  };
  EXPECT_EQ(error([](auto&) {}), "");
  EXPECT_MENTIONS(error([](auto& c) { c.target_field = "source"; }), "both 'source'");
  EXPECT_MENTIONS(error([](auto& c) { c.target_field = ""; }), "must both be set");
  EXPECT_MENTIONS(error([](auto& c) { c.format = "story", c.source_field = "x"; }), "remove");
  EXPECT_MENTIONS(error([](auto& c) { c.min_target_tokens = 200; }), "min_target_tokens is 200",
                  "128");
  EXPECT_MENTIONS(error([](auto& c) { c.min_source_tokens = 0; }), "min_source_tokens", "1");
  EXPECT_MENTIONS(error([](auto& c) { c.validation_fraction = 0.95; }), "validation_fraction");
  EXPECT_MENTIONS(error([](auto& c) { c.validation_fraction = 0.1, c.validation = {"x"}; }),
                  "must be 0");
  EXPECT_MENTIONS(prepare_error({}), "data.train is empty");
  EXPECT_MENTIONS(prepare_error(config_for("jsnol", "x")), "jsnol", "did you mean 'jsonl'");
}

TEST_F(PairTest, PairsAreCutCountedAndCached) {
  auto config = config_for("jsonl", write("a.jsonl",
                                          "{\"source\": \"a b c d e\", \"target\": \"a b\"}\n"
                                          "{\"source\": \"\", \"target\": \"a\"}\n"
                                          "{\"source\": \"a b\", \"target\": \" \"}\n"
                                          "{\"source\": \"a\", \"target\": \"a b c\"}\n"
                                          "{\"source\": \"a b c\", \"target\": \"c b a\"}\n"));
  config.max_source_tokens = 3;
  config.max_target_tokens = 2;
  config.min_source_tokens = 2;
  const auto dataset = prepared(config);
  ASSERT_EQ(dataset.train.size(), 2);
  EXPECT_EQ(dataset.train_dropped.empty, 2);
  EXPECT_EQ(dataset.train_dropped.too_short, 1);
  EXPECT_EQ(dataset.train.source.truncated(), 1);
  EXPECT_EQ(dataset.train.target.truncated(), 1);
  EXPECT_EQ(dataset.train.source.tokens(0).size(), 3u);
  EXPECT_EQ(dataset.train.source.record(1), 4);
  // Both sides share the vocabulary: the documents and summaries are of the same words.
  EXPECT_EQ(dataset.train.source.tokens(1)[2], dataset.train.target.tokens(1)[0]);
  EXPECT_EQ(dataset.train.lengths(), (std::vector<std::int64_t>{5, 5}));
  EXPECT_MENTIONS(dataset.summary(), "document truncated", "summary mean length",
                  "dropped, empty                     2           0           0");

  const auto texts = read_texts(config, config.train, dataset.train);
  ASSERT_EQ(texts.size(), 2u);
  EXPECT_EQ(texts[1].target, "c b a");

  const auto again = prepared(config);
  EXPECT_EQ(again.train_dropped.empty, 2);
  EXPECT_EQ(again.train.size(), 2);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ / "cache"), {}), 1);
  config.max_source_tokens = 4;
  EXPECT_EQ(prepared(config).train.source.tokens(0).size(), 4u);
}

TEST_F(PairTest, NoPairLeftIsAnError) {
  auto config = config_for("jsonl", write("a.jsonl", "{\"source\": \"\", \"target\": \"a\"}\n"));
  EXPECT_MENTIONS(prepare_error(config), "a.jsonl", "1 without a document");
  config.train = {write("b.jsonl", "{\"source\": \"a\", \"target\": \"a\"}\n")};
  config.min_source_tokens = 2;
  EXPECT_MENTIONS(prepare_error(config), "b.jsonl", "1 shorter");
}

TEST_F(PairTest, EqualDocumentsNeverCrossTheSplitAndTrainAloneMakesTheVocabulary) {
  std::string lines;
  for (int i = 0; i < 400; ++i) {
    const std::string n = std::to_string(i / 2);
    lines += R"({"source": "doc)" + n + R"(", "target": "sum)" + std::to_string(i) + "\"}\n";
  }
  auto config = config_for("jsonl", write("a.jsonl", lines));
  config.validation_fraction = 0.25;
  const auto dataset = prepared(config);
  EXPECT_EQ(dataset.validation.size(), 100);
  EXPECT_EQ(dataset.train.size(), 300);
  const std::int32_t unknown = dataset.tokenizer->unknown_id();
  for (std::int64_t row = 0; row < 100; ++row) {
    EXPECT_EQ(dataset.validation.source.tokens(row)[0], unknown);
    EXPECT_EQ(dataset.validation.target.tokens(row)[0], unknown);
    const auto partner = dataset.validation.source.record(row ^ 1);
    EXPECT_EQ(dataset.validation.source.record(row) / 2, partner / 2);
  }
  for (std::int64_t row = 0; row < 300; ++row) {
    EXPECT_NE(dataset.train.source.tokens(row)[0], unknown);
    EXPECT_NE(dataset.train.target.tokens(row)[0], unknown);
  }
  const auto texts = read_texts(config, config.train, dataset.validation);
  EXPECT_EQ(texts[7].target, "sum" + std::to_string(dataset.validation.target.record(7)));
  write("a.jsonl", "{\"source\": \"x\", \"target\": \"y\"}\n");
  EXPECT_MENTIONS(testing::error_of([&] { read_texts(config, config.train, dataset.validation); }),
                  "1 pairs", "prepare them again");
}

TEST_F(PairTest, SentencePieceIsShared) {
  std::string lines;
  for (int i = 0; i < 60; ++i) {
    lines += "{\"source\": [\"the rain falls on town " + std::to_string(i) +
             "\", \"it is wet\"], \"target\": \"rain in town " + std::to_string(i) + "\"}\n";
  }
  auto text_config = words();
  text_config.tokenizer = "sentencepiece";
  text_config.vocabulary_size = 60;
  const auto dataset =
      prepare(config_for("jsonl", write("a.jsonl", lines)), text_config, folder_ / "cache");
  // A line's end is white space to SentencePiece, no unknown character.
  const auto ids = dataset.train.source.tokens(0);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), dataset.tokenizer->unknown_id()), 0);
  EXPECT_GT(dataset.train.target.tokens(0).size(), 1u);
}

TEST_F(PairTest, BatchesHoldLikeLengthsWithinTheLimit) {
  const auto dataset = prepared(config_for("jsonl", write_pairs("a.jsonl", 80)));
  const auto lengths = dataset.train.lengths();
  const data::BatchPlan plan(lengths, {.batch_by = data::BatchUnit::kTokens, .batch_tokens = 90},
                             /*seed=*/3);
  std::vector<int> seen(80);
  std::int64_t widest = 0;
  for (const auto& rows : plan.epoch(0)) {
    const auto batch = gather(dataset.train, rows);
    ASSERT_EQ(batch.source.size(), batch.target.size());
    EXPECT_LE(batch.source.tokens() + batch.target.tokens(), 90);
    for (const auto row : rows) ++seen[static_cast<std::size_t>(row)];
    const auto [low, high] = std::minmax_element(rows.begin(), rows.end());
    widest = std::max(widest, *high - *low);  // row i has i + 2 tokens
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 80);
  EXPECT_LT(widest, 13);
  EXPECT_NE(plan.epoch(0), plan.epoch(1));
  const std::vector<std::int64_t> outside = {80};
  EXPECT_THROW(gather(dataset.train, outside), std::out_of_range);
}

TEST_F(PairTest, AModelWithItsTokenizerReadsOtherPairs) {
  const auto dataset = prepared(config_for("jsonl", write_pairs("train.jsonl", 4)));
  auto config = config_for("jsonl", "not read");
  config.max_source_tokens = 2;
  config.min_target_tokens = 2;
  const std::vector<std::string> entries = {
      write("a.jsonl",
            "{\"source\": \"d1 d1 d1\", \"target\": \"s1\"}\n"
            "{\"source\": \"\", \"target\": \"s1 s2\"}\n"
            "{\"source\": \"d2 d1 d1\", \"target\": \"s2 s1\"}\n"),
      write("b.jsonl", "{\"source\": \"d3\", \"target\": \"s3 new\"}\n")};
  const auto pairs = read_pairs(config, entries, *dataset.tokenizer);
  ASSERT_EQ(pairs.size(), 2);
  std::vector<std::int32_t> expected;
  dataset.tokenizer->encode("d2 d1", expected);
  EXPECT_TRUE(std::ranges::equal(pairs.source.tokens(0), expected));
  EXPECT_EQ(pairs.target.tokens(1)[1], dataset.tokenizer->unknown_id());
  const auto texts = read_texts(config, entries, pairs);
  EXPECT_EQ(texts[0].target, "s2 s1");
  EXPECT_EQ(texts[1].target, "s3 new");
  config.min_target_tokens = 3;
  EXPECT_MENTIONS(testing::error_of([&] { read_pairs(config, entries, *dataset.tokenizer); }),
                  "a.jsonl", "no pair is left", "1 without", "3 shorter");
}

TEST_F(PairTest, PairsInMemoryMakeTheDatasetOfTheirFile) {
  auto config = config_for("jsonl", write_pairs("train.jsonl", 40));
  config.validation_fraction = 0.25;
  const auto of_file = prepared(config);
  const auto pairs = read_all(config);
  config.train.clear();
  const auto in_memory = prepare(pairs, config, words());
  for (const auto part : {&Dataset::train, &Dataset::validation, &Dataset::test}) {
    const auto &a = in_memory.*part, &b = of_file.*part;
    ASSERT_EQ(a.size(), b.size());
    for (std::int64_t row = 0; row < a.size(); ++row) {
      EXPECT_TRUE(std::ranges::equal(a.source.tokens(row), b.source.tokens(row)));
      EXPECT_TRUE(std::ranges::equal(a.target.tokens(row), b.target.tokens(row)));
    }
  }
}

}  // namespace
}  // namespace fastformer::summarization

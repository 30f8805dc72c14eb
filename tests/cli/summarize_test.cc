#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/small_pairs.h"
#include "fastformer/base/format.h"
#include "support/gzip_file.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

Words lines_of(const Outcome& outcome) {
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  Words lines;
  std::istringstream stream(outcome.output);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// One training for all tests that only read the model.
class SummarizeCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    pairs_ = new SmallPairs;
    trained_ = new Outcome(run_program(pairs_->train("run")));
  }
  static void TearDownTestSuite() {
    delete trained_;
    delete pairs_;
  }
  void SetUp() override { ASSERT_EQ(trained_->code, 0) << trained_->output; }

  static std::string model() { return pairs_->path("run/model"); }
  static Outcome summarize(const Words& more, const std::string& input = "") {
    return run_program(with({"summarize", model()}, more), input);
  }
  static std::string documents(int first, int last) {
    std::string text;
    for (int i = first; i < last; ++i) text += SmallPairs::document(i) + "\n";
    return text;
  }
  static SmallPairs* pairs_;
  static Outcome* trained_;
};
SmallPairs* SummarizeCommand::pairs_ = nullptr;
Outcome* SummarizeCommand::trained_ = nullptr;

TEST_F(SummarizeCommand, TrainingLeavesModelScoresAndSummaries) {
  EXPECT_MENTIONS(trained_->output, "ROUGE-Lsum", "lead-1", "oracle-3", "pairs 7");
  for (const auto* file : {"recipe.toml", "metrics.jsonl", "model/config.json",
                           "model/tokenizer.json", "model/README.md"}) {
    EXPECT_FALSE(pairs_->content("run/" + std::string(file)).empty()) << file;
  }
  const auto scores = nlohmann::json::parse(pairs_->content("run/test.json"));
  ASSERT_EQ(scores["rows"].size(), 6u);
  EXPECT_EQ(scores["rows"][0]["name"], "model");
  std::istringstream lines(pairs_->content("run/test_summaries.jsonl"));
  int count = 0;
  const auto written = lines_of(summarize({"--field", "source", pairs_->path("test.jsonl")}));
  ASSERT_EQ(written.size(), 7u);
  for (std::string line; std::getline(lines, line); ++count) {
    const auto pair = nlohmann::json::parse(line);
    EXPECT_EQ(pair["reference"],
              (count % 2 == 0 ? "oil falls " : "team wins ") + std::to_string(count % 9));
    EXPECT_EQ(pair["summary"], written[static_cast<std::size_t>(count)]);
  }
  EXPECT_EQ(count, 7);
}

TEST_F(SummarizeCommand, TrainingCanChooseWeightsByRouge) {
  const auto by_rouge =
      run_program(with(pairs_->train("by_rouge"), {"--set", "train.metric=rouge_l"}));
  ASSERT_EQ(by_rouge.code, 0) << by_rouge.output;
  EXPECT_MENTIONS(pairs_->content("by_rouge/metrics.jsonl"), "\"validation_loss\"",
                  "\"validation_rouge\"", "\"validation_rouge_l\"");
  EXPECT_EQ(nlohmann::json::parse(pairs_->content("by_rouge/result.json"))["metric"], "rouge_l");
}

TEST_F(SummarizeCommand, WritesALineForEachDocumentInOrder) {
  const auto all = lines_of(summarize({}, documents(0, 70)));  // more than are written together
  ASSERT_EQ(all.size(), 70u);
  auto parts = lines_of(summarize({"-"}, documents(0, 7)));
  for (const auto& line : lines_of(summarize({}, documents(7, 70)))) parts.push_back(line);
  EXPECT_EQ(parts, all);
  EXPECT_NE(all[0], all[1]) << "two kinds of documents got one summary";
  EXPECT_FALSE(all[0].empty());
}

TEST_F(SummarizeCommand, AFileIsADocument) {
  const auto lines = lines_of(summarize({}, documents(0, 3)));
  Words files;
  for (const int i : {2, 0, 1}) {
    auto text = SmallPairs::document(i) + "\n";
    std::replace(text.begin(), text.begin() + 12, ' ', '\n');  // lines of one document
    files.push_back(pairs_->folder().write("document" + std::to_string(i), text).string());
  }
  EXPECT_EQ(lines_of(summarize(files)), (Words{lines[2], lines[0], lines[1]}));
}

TEST_F(SummarizeCommand, ADocumentMayBeCompressedOrHaveAByteOrderMark) {
  const auto text = SmallPairs::document(0) + "\n";
  const auto plain = lines_of(summarize({pairs_->folder().write("document.txt", text).string()}));
  ASSERT_EQ(plain.size(), 1u);
  testing::write_gzip(pairs_->folder() / "document.txt.gz", text);
  EXPECT_EQ(content_of(pairs_->path("document.txt.gz")).find("Markets"), std::string::npos);
  EXPECT_EQ(lines_of(summarize({pairs_->path("document.txt.gz")})), plain);
  std::string wide = "\xFF\xFE";
  for (const char c : text) wide += {c, '\0'};
  EXPECT_EQ(lines_of(summarize({pairs_->folder().write("wide.txt", wide).string()})), plain);
  const auto latin = pairs_->folder().write("latin.txt", "Oil falls .\nA caf\xE9 .\n").string();
  expect_refusal(summarize({latin}), {"latin.txt:2", "0xE9", "iconv"});
}

TEST_F(SummarizeCommand, AnEmptyDocumentKeepsItsLine) {
  const auto lines = lines_of(summarize({}, documents(0, 2)));
  const auto between =
      lines_of(summarize({}, SmallPairs::document(0) + "\n\n" + SmallPairs::document(1) + "\n"));
  ASSERT_EQ(between.size(), 4u);
  EXPECT_EQ(between[0], lines[0]);
  EXPECT_EQ(between[1], "");
  EXPECT_EQ(between[2], lines[1]);
  EXPECT_MENTIONS(between[3], "1 of 3 documents is empty, and so is its summary");
  const auto file = lines_of(summarize({pairs_->folder().write("empty", "").string()}));
  ASSERT_EQ(file.size(), 2u);
  EXPECT_EQ(file[0], "");
  EXPECT_MENTIONS(file[1], "1 of 1 documents");
  const auto json = lines_of(summarize({"--json"}, " \n"));
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(nlohmann::json::parse(json[0]).at("summary"), "");
  EXPECT_TRUE(lines_of(summarize({})).empty());
}

TEST_F(SummarizeCommand, ReadsJsonLinesByTheirNameAndOneDocumentFromAPipe) {
  const auto file = pairs_->path("test.jsonl");
  EXPECT_EQ(lines_of(summarize({file})), lines_of(summarize({file, "--field", "source"})));
  const auto text = SmallPairs::document(0);
  auto parted = text;
  std::replace(parted.begin(), parted.end(), ' ', '\n');
  EXPECT_EQ(lines_of(summarize({"--one-document"}, parted)), lines_of(summarize({}, text + "\n")));
  EXPECT_MENTIONS(summarize({}, parted).output, "documents, one per line", "--one-document");
  EXPECT_EQ(lines_of(summarize({}, "oil falls")).size(), 1u);
}

TEST_F(SummarizeCommand, ReadsAColumnOfATable) {
  const auto file =
      pairs_->folder().write("table.csv", "id,source\n1,\"" + SmallPairs::document(0) + "\"\n2," +
                                              SmallPairs::document(1) + "\n");
  EXPECT_EQ(lines_of(summarize({file.string()})), lines_of(summarize({}, documents(0, 2))));
  const auto other = summarize({file.string(), "--field", "text"});
  EXPECT_EQ(other.code, 1);
  EXPECT_MENTIONS(other.output, "no column 'text'", "source");
}

TEST_F(SummarizeCommand, ATruncatedDocumentIsNoticed) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "oil falls ";
  const auto lines = lines_of(summarize({}, text + "\n" + SmallPairs::document(0) + "\n"));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_MENTIONS(lines[2], "1 of 2 documents is truncated to ", " of 4000 tokens");
}

TEST_F(SummarizeCommand, PrintsJsonAndSearchesAsAsked) {
  const auto plain = lines_of(summarize({}, documents(0, 3)));
  const auto objects = lines_of(summarize({"--json"}, documents(0, 3)));
  ASSERT_EQ(objects.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto object = nlohmann::json::parse(objects[i]);
    EXPECT_EQ(object["summary"], plain[i]);
    EXPECT_LT(object["log_probability"], 0);
    EXPECT_TRUE(std::isfinite(object["log_probability"].get<double>()));
  }
  const Words greedy = {"--set", "search.method=greedy"};
  EXPECT_EQ(lines_of(summarize(greedy, documents(0, 3))),
            lines_of(summarize({"--set", "search.beams=1"}, documents(0, 3))));
  const auto cut =
      lines_of(summarize(with(greedy, {"--set", "search.max_tokens=1"}), documents(0, 3)));
  for (const auto& line : cut) EXPECT_EQ(line.find(' '), std::string::npos) << line;
  const Words sample = {"--set", "search.method=sample", "--set", "search.seed=7"};
  EXPECT_EQ(lines_of(summarize(sample, documents(0, 3))),
            lines_of(summarize(sample, documents(0, 3))));
}

// What an explanation says about a summary and its document: words, which are tokens here.
void expect_explanation(const nlohmann::json& object, const std::string& document) {
  Words words;
  std::istringstream stream(document);
  for (std::string word; stream >> word;) {
    std::transform(word.begin(), word.end(), word.begin(), [](char c) { return std::tolower(c); });
    words.push_back(word);
  }
  std::string summary;
  for (const auto& token : object["explanation"]) {
    if (!summary.empty()) summary += ' ';
    summary += token["token"];
    EXPECT_TRUE(token["copied"] >= 0 && token["copied"] <= 1) << token;
    ASSERT_EQ(token["sources"].size(), 3u);
    double sum = 0, last = 1;
    for (const auto& source : token["sources"]) {
      EXPECT_EQ(source["token"].get<std::string>(), words.at(source["position"].get<std::size_t>()))
          << token;
      EXPECT_LE(source["weight"], last) << "the heaviest first";
      last = source["weight"];
      sum += last;
    }
    EXPECT_TRUE(sum > 3.0 / static_cast<double>(words.size()) && sum < 1 + 1e-6) << token;
  }
  EXPECT_EQ(summary, object["summary"]);
}

TEST_F(SummarizeCommand, ExplainsWhatEachTokenLookedAt) {
  const auto plain = lines_of(summarize({}, documents(0, 20)));
  const auto objects = lines_of(summarize({"--explain", "--json"}, documents(0, 20)));
  const auto lines = lines_of(summarize({"--explain"}, documents(0, 20)));
  ASSERT_EQ(objects.size(), 20u);
  std::size_t at = 0;
  for (int i = 0; i < 20; ++i) {
    const auto object = nlohmann::json::parse(objects[static_cast<std::size_t>(i)]);
    EXPECT_EQ(object["summary"], plain[static_cast<std::size_t>(i)]);
    expect_explanation(object, SmallPairs::document(i));
    ASSERT_LT(at + 1 + object["explanation"].size(), lines.size());
    EXPECT_EQ(lines[at++], object["summary"]);
    EXPECT_MENTIONS(lines[at++], "token", "copied", "attends to");
    for (const auto& token : object["explanation"]) {
      const auto& line = lines[at++];
      EXPECT_TRUE(
          line.starts_with(base::format("  %s ", token["token"].get<std::string>().c_str())))
          << line;
      EXPECT_MENTIONS(line, base::format(" %.4f ", token["copied"].get<double>()));
      for (const auto& source : token["sources"]) {
        EXPECT_MENTIONS(line, base::format("   %.4f %s [%d]", source["weight"].get<double>(),
                                           source["token"].get<std::string>().c_str(),
                                           source["position"].get<int>()));
      }
    }
  }
  EXPECT_EQ(at, lines.size());
  const auto nothing = lines_of(summarize({"--explain", "--json"}, "\n"));
  ASSERT_EQ(nothing.size(), 2u);  // and a notice
  EXPECT_TRUE(nlohmann::json::parse(nothing[0]).at("explanation").empty());
}

TEST_F(SummarizeCommand, StreamedSummariesAreTheSame) {
  for (const auto* method : {"greedy", "sample"}) {
    const Words search = {"--set", base::format("search.method=%s", method)};
    const auto whole = summarize(search, documents(0, 70));  // more than are written together
    const auto streamed = summarize(with(search, {"--stream"}), documents(0, 70));
    EXPECT_EQ(streamed.code, 0);
    EXPECT_EQ(streamed.output, whole.output);
    EXPECT_EQ(std::count(whole.output.begin(), whole.output.end(), '\n'), 70);
    EXPECT_EQ(summarize(with(search, {"--stream", "--explain"}), documents(0, 3)).output,
              summarize(with(search, {"--explain"}), documents(0, 3)).output);
    EXPECT_TRUE(summarize(with(search, {"--stream"}), "\n\n").output.starts_with("\n\n"));
  }
  expect_refusal(summarize({"--stream"}, documents(0, 1)),
                 {"--stream", "beam", "no summary until its end", "search.method=greedy"});
  EXPECT_EQ(summarize({"--stream", "--json", "--set", "search.method=greedy"}).code, 2);
}

TEST_F(SummarizeCommand, InspectShowsTheModel) {
  const auto outcome = run_program({"inspect", model()});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_MENTIONS(outcome.output, "decoder.layers.0.cross_attention.query.weight", "parameters ",
                  "kind summarizer\n", "vocabulary ", "encoder additive, layers 1, width 8",
                  "decoder layers 1, copies from the document\n", "summaries of at most 8 tokens\n",
                  "search beam, beams 2\n");
}

TEST_F(SummarizeCommand, BadInputGetsOneSentence) {
  expect_refusal(summarize({"--set", "search.beems=3"}), {"--set", "did you mean 'beams'"});
  expect_refusal(summarize({"--set", "search.method=gready"}), {"search.method", "'greedy'"});
  expect_refusal(summarize({"--set", "search.beams=0"}), {"search.beams"});
  expect_refusal(summarize({"--set", "data.format=jsonl"}), {"data"});
  expect_refusal(summarize({"--set", "beams"}), {"beams", "section.key=value"});
  expect_refusal(summarize({pairs_->path("gone.txt")}), {"gone.txt"});
  expect_refusal(summarize({"--field", "sorce", pairs_->path("test.jsonl")}),
                 {"test.jsonl:1", "'sorce'", "did you mean 'source'"});
  expect_refusal(summarize({"--field", "source"}, "no json\n"), {":1", "JSON"});
  EXPECT_EQ(run_program({"summarize"}).code, 2);
}

TEST_F(SummarizeCommand, AModelOfAnotherKindGetsOneSentence) {
  expect_refusal(run_program({"predict", model()}, "oil\n"),
                 {"contains a summarizer", "'predict'", "evaluate, inspect, summarize"});
  expect_refusal(run_program({"recommend", model(), "--news", pairs_->path("test.jsonl")}),
                 {"contains a summarizer", "'recommend'", "evaluate, inspect, summarize"});
}

TEST_F(SummarizeCommand, EvaluateGivesTheScoresOfTheTestPart) {
  const auto test = pairs_->path("test.jsonl");
  const auto json = run_program({"evaluate", model(), test, "--json"});
  EXPECT_EQ(json.code, 0);
  EXPECT_EQ(json.output, pairs_->content("run/test.json"));
  const auto table = run_program({"evaluate", model(), test});
  EXPECT_EQ(table.code, 0);
  EXPECT_NE(trained_->output.find(table.output), std::string::npos) << table.output;
  const auto both = run_program({"evaluate", model(), test, pairs_->path("validation.jsonl"),
                                 "--set", "search.method=greedy"});
  EXPECT_MENTIONS(both.output, "pairs 13");

  expect_refusal(run_program({"evaluate", model(), pairs_->path("gone.jsonl")}), {"gone.jsonl"});
  expect_refusal(run_program({"evaluate", model(), test, "--set", "data.target_field=titel"}),
                 {"test.jsonl:1", "'titel'"});
  expect_refusal(run_program({"evaluate", model(), test, "--set", "train.epochs=3"}), {"train"});
  const auto bare =
      pairs_->folder().write("bare.jsonl", "{\"source\": \"oil\", \"target\": \"\"}\n").string();
  expect_refusal(run_program({"evaluate", model(), bare}),
                 {"bare.jsonl", "no pair is left", "1 without"});
}

TEST(SummarizeTraining, StoppedOrKilledAndResumedItEndsIdentical) {
  expect_resumable(SmallPairs(), 400);
}

TEST(SummarizeTraining, SubwordsGiveTextWithoutTheirMarks) {
  const SmallPairs pairs;
  const auto outcome = run_program(
      with(pairs.train("run"), {"--set", "text.tokenizer=sentencepiece", "--set",
                                "text.vocabulary_size=60", "--set", "train.max_steps=3"}));
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const auto lines =
      lines_of(run_program({"summarize", pairs.path("run/model")}, SmallPairs::document(0) + "\n"));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].find("\u2581"), std::string::npos) << lines[0];
  const Words greedy = {"summarize", pairs.path("run/model"), "--set", "search.method=greedy"};
  const auto text = SmallPairs::document(0) + "\n" + SmallPairs::document(1) + "\n";
  EXPECT_EQ(run_program(with(greedy, {"--stream"}), text).output, run_program(greedy, text).output);
}

TEST(SummarizeTraining, WithoutCopyingTheDecoderIsExplained) {
  const SmallPairs pairs;
  const auto outcome = run_program(with(
      pairs.train("run"), {"--set", "model.decoder.copy=false", "--set", "train.max_steps=3"}));
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const Words explain = {"summarize", pairs.path("run/model"), "--explain", "--set",
                         "search.min_tokens=2"};
  const auto lines = lines_of(run_program(explain, SmallPairs::document(0) + "\n"));
  ASSERT_GT(lines.size(), 3u);
  EXPECT_EQ(lines[1].find("copied"), std::string::npos) << lines[1];
  const auto objects =
      lines_of(run_program(with(explain, {"--json"}), SmallPairs::document(0) + "\n"));
  ASSERT_EQ(objects.size(), 1u);
  const auto explanation = nlohmann::json::parse(objects[0])["explanation"];
  ASSERT_EQ(explanation.size(), lines.size() - 2);
  EXPECT_FALSE(explanation[0].contains("copied"));
  EXPECT_EQ(explanation[0]["sources"].size(), 3u);
  EXPECT_MENTIONS(run_program({"inspect", pairs.path("run/model")}).output, "does not copy");
}

TEST(SummarizeTraining, BadDataGetsOneSentence) {
  const SmallPairs pairs;
  const auto refused = [&](const Words& more, const Words& words) {
    fs::remove_all(pairs.path("bad"));
    expect_refusal(run_program(with(pairs.train("bad"), more)), words);
  };
  refused({"--set", "data.train=[]"}, {"data.train"});
  refused({"--set", "data.source_field=text"}, {"train.jsonl:1", "'text'"});
  refused({"--set", "data.min_source_tokens=500"}, {"train.jsonl", "no pair is left"});
  refused({"--set", "train.metric=auc"}, {"auc", "loss"});
  refused({"--set", "search.beams=0"}, {"search.beams"});
}

}  // namespace
}  // namespace fastformer::cli

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/program.h"
#include "cli/small_pairs.h"

namespace fastformer::cli {
namespace {

/// One training for all tests that only read the model.
class ExtractiveCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    pairs_ = new SmallPairs;
    pairs_->folder().write(
        "extractive.toml",
        "[task]\nname = \"summarization\"\n[data]\ntrain = [\"" + pairs_->path("train.jsonl") +
            "\"]\nvalidation = [\"" + pairs_->path("validation.jsonl") + "\"]\ntest = [\"" +
            pairs_->path("test.jsonl") +
            "\"]\n[text]\nminimum_count = 1\n"
            "[model]\nkind = \"extractive\"\nwidth = 8\nheads = 2\nlayers = 1\nffn_width = 8\n"
            "dropout = 0\nembedding_dropout = 0\n"
            "[train]\nbatch_size = 8\nepochs = 12\nlearning_rate = 0.02\nthreads = 1\n"
            "checkpoint_every = 3\nlog_every = 1\n");
    trained_ = new Outcome(train("run"));
  }
  static void TearDownTestSuite() {
    delete trained_;
    delete pairs_;
  }
  void SetUp() override { ASSERT_EQ(trained_->code, 0) << trained_->output; }

  static Outcome train(const std::string& run) {
    return run_program({"train", pairs_->path("extractive.toml"), "--output", pairs_->path(run)});
  }
  static Outcome summarize(const Words& more, const std::string& input = "") {
    return run_program(with({"summarize", pairs_->path("run/model")}, more), input);
  }

  static SmallPairs* pairs_;
  static Outcome* trained_;
};
SmallPairs* ExtractiveCommand::pairs_ = nullptr;
Outcome* ExtractiveCommand::trained_ = nullptr;

constexpr const char* kText = "Markets were calm . Oil falls 3 times . That was all today .\n";

TEST_F(ExtractiveCommand, TrainsTunesAndEvaluates) {
  EXPECT_MENTIONS(trained_->output, "ROUGE-Lsum", "lead-length", "oracle-3", "pairs 7");
  const auto config = nlohmann::json::parse(pairs_->content("run/model/config.json"));
  EXPECT_EQ(config["selection"]["sentences"], 1);
  EXPECT_EQ(config["selection"]["tune"], false);
  const auto scores = nlohmann::json::parse(pairs_->content("run/test.json"));
  EXPECT_EQ(scores["rows"][0]["name"], "model");
  EXPECT_GT(scores["rows"][0]["rouge_1"], scores["rows"][1]["rouge_1"]);
  const auto evaluated =
      run_program({"evaluate", pairs_->path("run/model"), pairs_->path("test.jsonl"), "--json"});
  EXPECT_EQ(nlohmann::json::parse(evaluated.output), scores);
  EXPECT_MENTIONS(run_program({"inspect", pairs_->path("run/model")}).output,
                  "kind extractive summarizer", "summaries of at most one sentence");
}

TEST_F(ExtractiveCommand, TrainsToTheSameModelAgain) {
  ASSERT_EQ(train("again").code, 0);
  for (const auto* file : {"model/model.safetensors", "test.json", "test_summaries.jsonl"}) {
    EXPECT_EQ(pairs_->content("again/" + std::string(file)),
              pairs_->content("run/" + std::string(file)))
        << file;
  }
}

TEST_F(ExtractiveCommand, SummarizesWithinLimits) {
  EXPECT_EQ(summarize({}, kText).output, "Oil falls 3 times .\n");
  EXPECT_EQ(summarize({"--sentences", "3"}, kText).output, kText);
  EXPECT_EQ(summarize({"--words", "6"}, kText).output, "Oil falls 3 times .\n");
  EXPECT_EQ(summarize({"--ratio", "0.4"}, kText).output, "Oil falls 3 times .\n");
  EXPECT_EQ(summarize({"--set", "selection.words=4"}, kText).output, "Oil falls 3 times .\n");
  const auto empty = summarize({}, "\n");
  EXPECT_MENTIONS(empty.output, "1 of 1 documents is empty, and so is its summary");
}

TEST_F(ExtractiveCommand, ShowsWhatItChose) {
  const auto json = nlohmann::json::parse(summarize({"--json", "--explain"}, kText).output);
  EXPECT_EQ(json["summary"], "Oil falls 3 times .");
  EXPECT_EQ(json["sentences"][0]["index"], 1);
  EXPECT_EQ(json["sentences"][0]["begin"], 20);
  EXPECT_EQ(json["document"].size(), 3u);
  const auto explained = summarize({"--explain"}, kText).output;
  EXPECT_MENTIONS(explained, "* 0.", "Oil falls 3 times .\n", "    0.");
  const auto marked = summarize({"--highlight", "terminal"}, kText).output;
  EXPECT_MENTIONS(marked, "Markets were calm . **Oil falls 3 times .** [0.");
  const auto page = summarize({"--highlight", "html"}, "a <b> sentence . another one .\n").output;
  EXPECT_TRUE(page.starts_with("<!doctype html>")) << page;
  EXPECT_MENTIONS(page, "&lt;b&gt;", "<mark title=\"0.", "</html>\n");
}

TEST_F(ExtractiveCommand, RefusesOptionsOfTheOtherKind) {
  EXPECT_MENTIONS(summarize({"--stream"}, kText).output, "--stream is for abstractive summarizers");
  const auto search = summarize({"--set", "search.beams=2"}, kText);
  EXPECT_EQ(search.code, 1);
  EXPECT_MENTIONS(search.output, "unknown section [search]; valid: selection");
  EXPECT_NE(summarize({"--words", "0"}, kText).code, 0);
  ASSERT_EQ(run_program(pairs_->train("abstractive")).code, 0);
  const auto wrong = run_program({"summarize", pairs_->path("abstractive/model"), "--words", "5"});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_MENTIONS(wrong.output, "are for extractive summarizers");
}

}  // namespace
}  // namespace fastformer::cli

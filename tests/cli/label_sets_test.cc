// Several labels per document, by the commands of the program.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program.h"

namespace fastformer::cli {
namespace {

using Json = nlohmann::json;

// A text has the topics whose words it holds: none, one or both.
std::string topic_rows(int count, const std::string& separator) {
  std::mt19937_64 random(8);
  std::string rows = "text,tags\n";
  for (int i = 0; i < count; ++i) {
    const auto both = random() % 4;
    const bool market = (both & 1) != 0, sport = (both & 2) != 0;
    rows += "today " + std::to_string(random() % 9) + (market ? " oil prices" : "") +
            (sport ? " team cup" : "") + "," + (market ? "market" : "") +
            (market && sport ? separator : "") + (sport ? "sport" : "") + "\n";
  }
  return rows;
}

// One model for all tests.
class LabelSetCommands : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TemporaryFolder>();
    folder_->write("recipe.toml",
                   "[data]\ntrain = [\"" + folder_->write("a.csv", topic_rows(300, "|")).string() +
                       "\"]\ntext_columns = [\"text\"]\nlabel_column = \"tags\"\n"
                       "label_separator = \"|\"\nvalidation_fraction = 0.2\ntest_fraction = 0.1\n"
                       "[model]\nwidth = 8\nheads = 2\nffn_width = 8\n"
                       "[train]\nbatch_size = 16\nepochs = 5\nlearning_rate = 0.01\nthreads = 1\n"
                       "checkpoint_every = 5\n");
    const auto trained = run_program(train("run"));
    ASSERT_EQ(trained.code, 0) << trained.output;
    EXPECT_MENTIONS(trained.output, "micro-F1", "LRAP");
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static Words train(const std::string& run) {
    return {"train", (*folder_ / "recipe.toml").string(), "--output", (*folder_ / run).string()};
  }
  static std::string model() { return (*folder_ / "run/model").string(); }
  static std::string predicted(const Words& arguments, const std::string& input) {
    const auto outcome = run_program(with({"predict", model()}, arguments), input);
    EXPECT_EQ(outcome.code, 0);
    return outcome.output;
  }
  static std::string first_cell(const std::string& line) { return line.substr(0, line.find('\t')); }

  static inline std::unique_ptr<testing::TemporaryFolder> folder_;
};

TEST_F(LabelSetCommands, PredictJoinsTheLabels) {
  auto both = first_cell(predicted({}, "today 3 oil prices team cup\n"));
  EXPECT_TRUE(both == "market|sport" || both == "sport|market") << both;
  EXPECT_EQ(first_cell(predicted({}, "oil prices\n")), "market");
  EXPECT_TRUE(predicted({}, "today 4\n").starts_with("none\t\ttoday 4\n"));
  EXPECT_TRUE(predicted({"--abstain", ""}, "today 4\n").starts_with("\t\ttoday 4\n"));
  const auto csv = predicted({"--output-format", "csv"}, "team cup\n");
  EXPECT_TRUE(csv.starts_with("labels,probabilities,text\nsport,")) << csv;
  const auto input = folder_->write("new.csv", "id,text\n7,team cup\n").string();
  const auto kept = predicted({input, "--output-format", "csv", "--keep"}, "");
  EXPECT_TRUE(kept.starts_with("id,text,predicted,probabilities\n7,team cup,sport,")) << kept;
}

TEST_F(LabelSetCommands, TopAndThresholdChooseOtherLabels) {
  EXPECT_EQ(first_cell(predicted({"--top-k", "1"}, "team cup\n")), "sport");
  EXPECT_EQ(first_cell(predicted({"--top-k", "2"}, "team cup\n")), "sport|market");
  EXPECT_EQ(first_cell(predicted({"--threshold", "0"}, "team cup\n")), "sport|market");
  EXPECT_EQ(first_cell(predicted({"--threshold", "1"}, "team cup\n")), "none");
  EXPECT_EQ(first_cell(predicted({"--threshold", "0", "--top-k", "1"}, "team cup\n")), "sport");
}

TEST_F(LabelSetCommands, JsonHasLists) {
  const auto json = Json::parse(predicted({"--json"}, "oil prices\n"));
  EXPECT_EQ(json.at("row"), 1);
  EXPECT_EQ(json.at("labels"), Json({"market"}));
  EXPECT_EQ(json.at("probabilities").size(), 2u);
  const auto none = Json::parse(predicted({"--json"}, "today 4\n"));
  EXPECT_EQ(none.at("labels"), Json::array());
  const auto top = Json::parse(predicted({"--json", "--top-k", "2"}, "oil prices\n"));
  EXPECT_EQ(top.at("top").size(), 2u);
  EXPECT_EQ(top.at("top")[0].at("label"), "market");
  EXPECT_FALSE(top.contains("probabilities"));
}

TEST_F(LabelSetCommands, ExplainNamesTheNgramsOfEachLabel) {
  const auto text = predicted({"--explain"}, "oil prices team cup\n");
  EXPECT_MENTIONS(text, "n-grams of market:", "n-grams of sport:");
}

TEST_F(LabelSetCommands, EvaluatePrintsEachLabelAndWritesErrors) {
  const auto test = folder_->write("test.csv", topic_rows(50, "|") + "oil prices,sport|arts\n");
  const auto errors = (*folder_ / "errors.csv").string();
  const auto outcome = run_program({"evaluate", model(), test.string(), "--errors", errors});
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_MENTIONS(outcome.output, "label", "market", "micro-F1", "macro-F1", "subset accuracy",
                  "P@3", "LRAP", "network alone", "'arts'");
  const auto written = content_of(errors);
  EXPECT_TRUE(written.starts_with("where,labels,predicted,missed,wrong,loss,text\n")) << written;
  EXPECT_MENTIONS(written, "test.csv:52,sport,market,sport,market,", "oil prices");
  const auto json = Json::parse(
      run_program({"evaluate", model(), (*folder_ / "a.csv").string(), "--json"}).output);
  EXPECT_GT(json.at("micro_f1").get<double>(), 0.95);
  EXPECT_EQ(json.at("labels").at("sport").size(), 4u);
  expect_refusal(run_program({"evaluate", model(), test.string(), "--set",
                              "data.label_separator=", "--set", "data.label_column=tags"}),
                 {"several labels per document", "data.multi_label"});
}

TEST_F(LabelSetCommands, InspectShowsTheThresholds) {
  EXPECT_MENTIONS(run_program({"inspect", model()}).output, "labels (threshold) 2", "market (0.");
}

TEST_F(LabelSetCommands, AResumedRunEndsIdentical) {
  const auto files = [](const std::string& run) {
    std::string all;
    for (const char* file : {"model/model.safetensors", "model/linear.safetensors",
                             "model/thresholds.json", "test_predictions.csv"}) {
      const auto content = content_of(*folder_ / run / file);
      EXPECT_FALSE(content.empty()) << file;
      all += content;
    }
    return all;
  };
  const pid_t child = start_program(train("stopped"), *folder_ / "log");
  while (content_of(*folder_ / "stopped/metrics.jsonl").size() < 200) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  kill(child, SIGKILL);
  wait_for(child);
  const auto resumed = run_program(with(train("stopped"), {"--resume"}));
  EXPECT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_TRUE(files("stopped") == files("run"));
}

TEST_F(LabelSetCommands, InspectRecognizesSeveralLabels) {
  const auto recipe_of = [](const std::string& name, const std::string& content) {
    return run_program({"inspect", folder_->write(name, content).string()}).output;
  };
  EXPECT_MENTIONS(recipe_of("list.csv", topic_rows(60, ";")),
                  "'tags' looks like several labels per row, with \";\"", "label_column = \"tags\"",
                  "label_separator = \";\"");
  std::string json, flags = "text,toxic,rude\n", fasttext;
  for (int i = 0; i < 40; ++i) {
    const auto text = "some text of row " + std::to_string(i);
    json += Json{{"text", text}, {"topics", {"a", i % 2 == 0 ? "b" : "c"}}}.dump() + "\n";
    flags += text + (i % 2 == 0 ? ",1" : ",0") + (i % 3 == 0 ? ",1\n" : ",0\n");
    fasttext += "__label__a __label__b " + text + "\n";
  }
  EXPECT_MENTIONS(recipe_of("list.jsonl", json), "as lists", "label_column = \"topics\"",
                  "multi_label = true");
  EXPECT_MENTIONS(recipe_of("flags.csv", flags), "columns of 0 and 1",
                  "label_columns = [\"toxic\", \"rude\"]");
  EXPECT_MENTIONS(recipe_of("lines.txt", fasttext), "several labels", "multi_label = true");
}

TEST_F(LabelSetCommands, AListWithoutTheFieldNamesIt) {
  const auto train = [&](const std::string& data) {
    const auto recipe = folder_->write("bad.toml", "[data]\n" + data + "\n");
    return run_program({"train", recipe.string(), "--output", (*folder_ / "bad").string()});
  };
  const auto json = folder_->write("b.jsonl", "{\"text\":\"x\",\"tags\":[\"a\"]}\n").string();
  expect_refusal(train("format = \"jsonl\"\ntrain = [\"" + json +
                       "\"]\ntext_columns = [\"text\"]\nlabel_column = \"tags\""),
                 {"b.jsonl:1", "data.multi_label = true"});
  const auto lines = folder_->write("b.txt", "__label__a __label__b x\n").string();
  expect_refusal(train("format = \"fasttext\"\ntrain = [\"" + lines + "\"]"),
                 {"b.txt:1", "data.multi_label = true"});
}

}  // namespace
}  // namespace fastformer::cli

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "cli/program.h"
#include "cli/small_clicks.h"
#include "fastformer/text/display_width.h"

namespace fastformer::cli {
namespace {

using Json = nlohmann::json;

std::int64_t line_count(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

// One model for all tests, trained on a file whose columns have names.
class PredictCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<testing::TemporaryFolder>();
    std::string rows = "label,text\n";
    for (int i = 0; i < 200; ++i) {
      rows += i % 2 == 0 ? "market,oil prices fall again\n" : "sport,the team wins the cup\n";
    }
    folder_->write("recipe.toml",
                   "[data]\nformat = \"csv\"\ntrain = [\"" +
                       folder_->write("a.csv", rows).string() +
                       "\"]\ntext_columns = [\"text\"]\nlabel_column = \"label\"\n"
                       "[model]\nwidth = 16\nheads = 2\nffn_width = 16\n"
                       "[train]\nbatch_size = 8\nepochs = 2\nlearning_rate = 0.01\nthreads = 1\n");
    const auto run = (*folder_ / "run").string();
    const auto trained =
        run_program({"train", (*folder_ / "recipe.toml").string(), "--output", run});
    ASSERT_EQ(trained.code, 0) << trained.output;
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static std::string model() { return (*folder_ / "run/model").string(); }
  static std::string write(const std::string& name, const std::string& content) {
    return folder_->write(name, content).string();
  }
  static Outcome predict(const Words& arguments, const std::string& input = "") {
    return run_program(with({"predict", model()}, arguments), input);
  }

  static inline std::unique_ptr<testing::TemporaryFolder> folder_;
};

TEST_F(PredictCommand, EachRecordHasOneAnswer) {
  const auto csv = write("new.csv", "text\n\"oil\tprices\nfall\"\n\nthe team wins\n");
  const auto outcome = predict({csv});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(line_count(outcome.output), 3) << outcome.output;
  EXPECT_TRUE(outcome.output.starts_with("market\t")) << outcome.output;
  EXPECT_MENTIONS(outcome.output, "\toil\\tprices\\nfall\n");
  EXPECT_EQ(line_count(predict({csv, "--format", "lines"}).output), 5);
  EXPECT_EQ(line_count(predict({}, "a\n\nb\n").output), 3);
}

TEST_F(PredictCommand, TheNameOfTheFileTellsItsFormat) {
  EXPECT_EQ(
      line_count(predict({write("a.jsonl", "{\"text\":\"oil\"}\n{\"text\":\"cup\"}\n")}).output),
      2);
  EXPECT_EQ(
      line_count(predict({write("a.json", "[{\"text\":\"oil\"},\n{\"text\":\"cup\"}]")}).output),
      2);
  EXPECT_EQ(line_count(predict({write("a.tsv", "id\ttext\n1\toil\n")}).output), 1);
  expect_refusal(predict({write("b.csv", "body\noil\n")}), {"b.csv", "text"});
  const auto body =
      predict({write("b.csv", "body\noil\n"), "--set", "data.text_columns=[\"body\"]"});
  EXPECT_EQ(line_count(body.output), 1);
}

TEST_F(PredictCommand, CsvKeepsTheColumnsOfTheInput) {
  const auto csv = write("c.csv", "id,text\n7,\"oil, \"\"prices\"\"\"\n8,the cup\n");
  const auto outcome = predict({csv, "--output-format", "csv", "--keep", "--top-k", "2"});
  EXPECT_TRUE(
      outcome.output.starts_with("id,text,predicted,probability,predicted_2,probability_2\n7,\"oil,"
                                 " \"\"prices\"\"\",market,0."))
      << outcome.output;
  EXPECT_EQ(line_count(outcome.output), 3);
  EXPECT_TRUE(
      predict({csv, "--output-format", "csv"}).output.starts_with("label,probability,text\n"));
}

TEST_F(PredictCommand, JsonlHasRowsAndClasses) {
  const auto input =
      write("d.jsonl", "{\"id\":7,\"text\":\"oil prices\"}\n{\"id\":8,\"text\":\"cup\"}\n");
  std::istringstream lines(predict({input, "--json"}).output);
  std::string line;
  for (int row = 1; row <= 2; ++row) {
    ASSERT_TRUE(std::getline(lines, line));
    const auto json = Json::parse(line);
    EXPECT_EQ(json.at("row"), row);
    EXPECT_EQ(json.at("probabilities").size(), 2U);
  }
  const auto kept = Json::parse(predict({write("e.jsonl", "{\"id\":7,\"text\":\"oil prices\"}\n"),
                                         "--json", "--keep", "--top-k", "2"})
                                    .output);
  EXPECT_EQ(kept.at("id"), 7);
  EXPECT_EQ(kept.at("predicted"), "market");
  EXPECT_EQ(kept.at("top").size(), 2U);
}

TEST_F(PredictCommand, AbstainsBelowTheThreshold) {
  EXPECT_TRUE(predict({"--threshold", "1"}, "unheard words\n").output.starts_with("none\t"));
  EXPECT_TRUE(
      predict({"--threshold", "1", "--abstain", "?"}, "unheard\n").output.starts_with("?\t"));
  EXPECT_TRUE(Json::parse(predict({"--threshold", "1", "--json"}, "unheard\n").output)
                  .at("label")
                  .is_null());
}

TEST_F(PredictCommand, AFileOfAnswersIsWholeOrNotThere) {
  const auto output = (*folder_ / "answers.tsv").string();
  EXPECT_EQ(predict({"--output", output}, "oil\ncup\n").output, "");
  EXPECT_EQ(line_count(content_of(output)), 2);
  const auto before = content_of(output);
  const auto bad = write("bad.txt", "oil\nb\xE9\n");
  expect_refusal(predict({bad, "--output", output}), {"bad.txt:2", "UTF-8"});
  EXPECT_EQ(content_of(output), before);
}

TEST_F(PredictCommand, ReadsWhatIsCompressedAndRefusesWhatIsNoText) {
  expect_refusal(predict({write("latin.txt", "caf\xE9\n")}), {"latin.txt:1", "data.encoding"});
  const auto latin =
      predict({write("latin.txt", "caf\xE9\n"), "--set", "data.encoding=\"latin1\""});
  EXPECT_MENTIONS(latin.output, "caf\u00e9");
  const auto wide = predict({}, std::string("\xFF\xFEo\0i\0l\0\n\0", 10));
  EXPECT_MENTIONS(wide.output, "\toil\n");
  EXPECT_EQ(line_count(wide.output), 1);
  expect_refusal(predict({write("t.parquet", std::string("PAR1\x15\x04\x00", 7))}), {"Parquet"});
}

TEST_F(PredictCommand, KeptColumnsAreThoseOfTheFirstRecord) {
  const auto keep = [&](const std::string& name, const std::string& content, const Words& more) {
    return run_program(with({"predict", model(), write(name, content), "--keep"}, more));
  };
  const auto absent = keep(
      "absent.jsonl", "{\"text\":\"oil prices\",\"id\":1,\"x\":2}\n{\"text\":\"team\",\"x\":3}\n",
      {"--output-format", "csv"});
  ASSERT_EQ(absent.code, 0) << absent.output;
  EXPECT_MENTIONS(absent.output, "text,id,x,predicted,probability\n", "\nteam,,3,");
  const auto added = keep("added.jsonl", "{\"text\":\"oil\"}\n{\"text\":\"team\",\"x\":3}\n",
                          {"--output-format", "csv"});
  EXPECT_EQ(added.code, 1);
  EXPECT_MENTIONS(added.output, "record 2", "'x'", "jsonl");
  const auto taken = keep("taken.csv", "text,predicted\noil,a\n", {});
  EXPECT_EQ(taken.code, 1);
  EXPECT_MENTIONS(taken.output, "'predicted' already");
}

TEST_F(PredictCommand, TheColumnsOfAnExplanationStandBelowTheirHeading) {
  const auto outcome = predict({"--explain"}, "Zo\u00eb \u6771\u4eac oil\n");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_MENTIONS(outcome.output, "\n  zo\u00eb  ", "\n  \u6771\u4eac  ", "\n  oil  ");
  std::istringstream lines(outcome.output);
  std::size_t heading = 0;
  int rows = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto name = line.find("pooling");
    if (name != std::string::npos) heading = name + std::string("pooling").size();
    if (name != std::string::npos || heading == 0 || line.starts_with("  n-grams")) continue;
    const auto number = line.substr(0, line.find('.') + std::string(".0000").size());
    EXPECT_EQ(text::display_width(number), heading) << outcome.output;
    ++rows;
  }
  EXPECT_EQ(rows, 3) << outcome.output;
}

TEST_F(PredictCommand, EvaluateNamesLabelsAndListsErrors) {
  const auto csv = write("f.csv", "label,text\nmarket,oil prices\nsport,\"oil prices, fall\"\n");
  const auto errors = (*folder_ / "errors.csv").string();
  const auto outcome = run_program({"evaluate", model(), csv, "--errors", errors});
  EXPECT_MENTIONS(outcome.output, "label \\ predicted", "never predicted: 'sport'");
  const auto content = content_of(errors);
  EXPECT_TRUE(content.starts_with("where,label,predicted,probability,label_probability,text\n"));
  EXPECT_EQ(line_count(content), 2) << content;
  EXPECT_MENTIONS(content, "f.csv:3,sport,market,0.", "\"oil prices, fall\"");
  const auto json = Json::parse(run_program({"evaluate", model(), csv, "--json"}).output);
  EXPECT_EQ(json.at("confusion").at("labels"), (Words{"market", "sport"}));
  EXPECT_EQ(json.at("confusion").at("counts").at(1).at(0), 1);
}

TEST_F(PredictCommand, ARunIsNotItsModel) {
  const auto run = (*folder_ / "run").string();
  for (const auto* command : {"predict", "evaluate", "inspect", "tokenize"}) {
    expect_refusal(run_program({command, run}),
                   {run + " is a run directory; give its model directory instead: " + model()});
  }
}

TEST(Program, AnUnknownCommandIsNamedWithTheNearest) {
  const auto outcome = run_program({"trian", "x"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_MENTIONS(outcome.output, "unknown command 'trian'; did you mean 'train'?");
}

TEST(InspectCommand, PrintsARecipeThatTrains) {
  const testing::TemporaryFolder folder;
  std::string csv = "v1;v2;;\n", tsv, json = "[", lines;
  for (int i = 0; i < 40; ++i) {
    const std::string label = i % 2 == 0 ? "ham" : "spam";
    const std::string text = i % 2 == 0 ? "see you soon" : "win \xA3 5 now";
    const auto number = std::to_string(i / 2 * 2);
    csv += label + ";" + text + " " + number + ";;\n";
    tsv += number + "\t" + label + "\ta text with several words " + number + "\n";
    json += (i > 0 ? ",\n" : "") + std::string("{\"kind\": \"") + label +
            "\", \"body\": \"one two three " + number + "\"}";
    lines += "__label__" + label + " one two three " + number + "\n";
  }
  folder.write("spam.csv", csv);
  folder.write("a.tsv", tsv);
  folder.write("a.json", json + "]");
  folder.write("ft.txt", lines);
  for (const auto& [file, words] :
       {std::pair<const char*, Words>{"spam.csv",
                                      {"windows-1252", "';'", "header = \"yes\"", "'v2'"}},
        {"a.tsv", {"header = \"no\"", "label_column = \"2\""}},
        {"a.json", {"label_column = \"kind\"", "20 texts repeat"}},
        {"ft.txt", {"format = \"fasttext\"", "classes 2"}}}) {
    const auto inspected = run_program({"inspect", (folder / file).string()});
    EXPECT_EQ(inspected.code, 0) << inspected.output;
    for (const auto& word : words) EXPECT_MENTIONS(inspected.output, word);
    const auto recipe = folder.write(file + std::string(".toml"), inspected.output).string();
    const auto trained = run_program(
        {"train", recipe, "--output", (folder / (file + std::string(".run"))).string(), "--set",
         "model.width=16", "--set", "model.heads=2", "--set", "model.ffn_width=16", "--set",
         "model.layers=1", "--set", "train.epochs=1", "--set", "train.threads=1"});
    EXPECT_EQ(trained.code, 0) << trained.output << inspected.output;
  }
}

TEST(InspectCommand, ShowsColumnsAndBadRows) {
  const testing::TemporaryFolder folder;
  std::string csv = "label,text\n";
  for (int i = 0; i < 20; ++i) {
    if (i == 10) csv += "sport,the team, wins\n";
    const auto number = std::to_string(i);
    csv += i % 2 == 0 ? "market,oil prices fall " + number + "\n"
                      : "sport,the team wins match " + number + "\n";
  }
  const auto inspected = run_program({"inspect", folder.write("data.csv", csv).string()});
  EXPECT_EQ(inspected.code, 0);
  EXPECT_MENTIONS(
      inspected.output, "# rows 20\n", "# column  type ", "# label   words ", "# text    texts ",
      "  market\n", "  oil prices fall 0\n", "data.csv:12 has 3 columns, but the first row has 2",
      "1 row cannot be read and is skipped", "bad_rows = \"skip\"", "label_column = \"label\"");
}

TEST(InspectCommand, NamesAFolderOfMind) {
  const SmallClicks clicks;
  const auto inspected = run_program({"inspect", clicks.path("train")});
  EXPECT_EQ(inspected.code, 0);
  EXPECT_MENTIONS(inspected.output, "train: a folder of MIND\n", "name = \"recommendation\"",
                  "format = \"mind\"", "train = [\"" + clicks.path("train") + "\"]");
}

}  // namespace
}  // namespace fastformer::cli

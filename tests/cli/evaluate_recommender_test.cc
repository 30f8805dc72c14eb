#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/small_clicks.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

TEST_F(RecommendCommand, EvaluateGivesTheScoresOfTheTestPart) {
  const auto model = clicks_->path("run/model");
  const auto json = run_program({"evaluate", model, clicks_->path("test"), "--json"});
  EXPECT_EQ(json.code, 0);
  EXPECT_EQ(json.output, clicks_->content("run/test.json"));
  const auto table = run_program({"evaluate", model, clicks_->path("test")});
  EXPECT_EQ(table.code, 0);
  EXPECT_NE(trained_->output.find(table.output), std::string::npos) << table.output;
  const auto both =
      run_program({"evaluate", model, clicks_->path("test"), clicks_->path("train"), "--json"});
  EXPECT_EQ(nlohmann::json::parse(both.output)["impressions"], 60);
  const auto short_sighted = run_program(
      {"evaluate", model, clicks_->path("test"), "--json", "--set", "data.title_tokens=1"});
  EXPECT_NE(short_sighted.output, json.output);

  expect_refusal(run_program({"evaluate", model, clicks_->path("gone")}), {"gone"});
  expect_refusal(run_program({"evaluate", model, clicks_->path("blind")}),
                 {"no labels", "add --predictions"});
  expect_refusal(run_program({"evaluate", model, clicks_->path("test"), "--set", "data.histry=3"}),
                 {"did you mean 'history'"});
  expect_refusal(run_program({"evaluate", model, clicks_->path("test"), "--set", "search.beams=3"}),
                 {"search"});
}

TEST_F(RecommendCommand, EvaluateWithoutDataMeasuresTheTestPartOfTheRecipe) {
  const auto model = clicks_->path("run/model");
  const auto own = run_program({"evaluate", model, "--json"});
  EXPECT_EQ(own.output, clicks_->content("run/test.json"));
  const auto scores = nlohmann::json::parse(own.output);
  const auto& interval = scores["intervals"]["auc"];
  EXPECT_LE(interval[0], scores["auc"]);
  EXPECT_GE(interval[1], scores["auc"]);
  EXPECT_LE(interval[1], 1);
  expect_refusal(run_program({"evaluate", model, "--set", "data.test=[]"}),
                 {"no test part", "give the files"});
}

TEST(RecommendItems, AModelOfRecboleReadsWhatItWasTrainedOn) {
  const testing::TemporaryFolder folder;
  std::string items = "item_id:token\ttitle:token_seq\n";
  std::string clicks = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n";
  const auto later = clicks;
  for (int i = 0; i < 20; ++i) items += base::format("i%d\tfilm %d\n", i, i);
  for (int i = 0; i < 60; ++i) clicks += base::format("u%d\ti%d\t5\t%d\n", i % 9, i * 7 % 20, i);
  folder.write("x.item", items);
  const auto training = folder.write("x.inter", clicks).string();
  const auto recipe = folder.write(
      "recipe.toml",
      "[task]\nname = \"recommendation\"\n[data]\nformat = \"recbole\"\ntrain = [\"" + training +
          "\"]\ntest_fraction = 0.2\nsampled_negatives = 3\n[text]\nminimum_count = 1\n"
          "[model]\nmodel = \"nrms\"\nwidth = 8\nheads = 2\nquery_width = 8\n[model.users]\nheads "
          "= 2\n"
          "[train]\nmax_steps = 2\nthreads = 1\n");
  const auto run = folder / "run", model = run / "model";
  ASSERT_EQ(run_program({"train", recipe.string(), "--output", run.string()}).code, 0);

  const auto own = run_program({"evaluate", model.string(), "--json"});
  EXPECT_EQ(own.output, content_of(run / "test.json"));
  EXPECT_EQ(nlohmann::json::parse(own.output)["impressions"], 12);
  expect_refusal(run_program({"evaluate", model.string(), training}),
                 {"x.inter", "was trained on this file"});
  expect_refusal(run_program({"evaluate", model.string(), folder.path().string()}),
                 {"was trained on this file"});
  // The validation part is among what a test knows, and can be measured itself.
  const testing::TemporaryFolder parts;
  for (const auto* part : {"validation", "test"}) {
    fs::create_directory(parts / part);
    parts.write(std::string(part) + "/z.item", items);
  }
  const auto validation = parts.write("validation/z.inter", later + "u0\ti5\t5\t70\n").string();
  const auto test = parts.write("test/z.inter", later + "u0\ti6\t5\t80\n").string();
  const auto whole = folder / "whole";
  ASSERT_EQ(
      run_program({"train", recipe.string(), "--output", whole.string(), "--set",
                   "data.test_fraction=0", "--set", "data.validation=[\"" + validation + "\"]",
                   "--set", "data.test=[\"" + test + "\"]"})
          .code,
      0);
  const auto second = (whole / "model").string();
  EXPECT_EQ(run_program({"evaluate", second, "--json"}).output, content_of(whole / "test.json"));
  EXPECT_EQ(run_program({"evaluate", second, test, "--json"}).output,
            content_of(whole / "test.json"));
  EXPECT_EQ(nlohmann::json::parse(
                run_program({"evaluate", second, validation, "--json"}).output)["impressions"],
            1);
  // Of another file, the histories are the clicks that training knows.
  const testing::TemporaryFolder other;
  other.write("y.item", items);
  const auto fresh = other.write("y.inter", later + "u0\ti3\t5\t100\n").string();
  const auto outcome = run_program({"evaluate", model.string(), fresh, "--json"});
  EXPECT_EQ(nlohmann::json::parse(outcome.output)["impressions"], 1) << outcome.output;
  const auto without =
      run_program({"evaluate", model.string(), fresh, "--json", "--set", "data.train=[]"});
  EXPECT_NE(nlohmann::json::parse(without.output)["loss"],
            nlohmann::json::parse(outcome.output)["loss"]);

  const auto chosen =
      run_program({"recommend", model.string(), "--items", (folder / "x.item").string(),
                   "--history", "i1,i2", "--top", "1", "--json"});
  EXPECT_EQ(nlohmann::json::parse(chosen.output)["clicks"].size(), 2u) << chosen.output;
  expect_refusal(run_program({"recommend", model.string(), "--items", (folder / "x.item").string(),
                              "--set", "data.title_columns=[\"tilte\"]"}),
                 {"tilte", "did you mean 'title'"});
}

TEST_F(RecommendCommand, PredictionsDoNotOverwriteWhatIsRead) {
  const auto model = clicks_->path("run/model"), data = clicks_->path("test");
  const auto behaviors = clicks_->content("test/behaviors.tsv");
  for (const auto& place : {data + "/behaviors.tsv", model + "/config.json"}) {
    expect_refusal(run_program({"evaluate", model, data, "--predictions", place}),
                   {"--predictions", "an input"});
  }
  EXPECT_EQ(clicks_->content("test/behaviors.tsv"), behaviors);
  expect_refusal(run_program({"evaluate", model, data, clicks_->path("train"), "--predictions",
                              clicks_->path("two.txt")}),
                 {"the id '1'", "one file at a time"});
}

TEST_F(RecommendCommand, UnknownItemsAreReported) {
  fs::create_directory(clicks_->path("few"));
  const auto data = clicks_->folder().write("few/news.tsv", clicks_->content("test/news.tsv"));
  const auto evaluate = [&](const std::string& row) {
    clicks_->folder().write("few/behaviors.tsv", row);
    return run_program({"evaluate", clicks_->path("run/model"), data.parent_path().string()});
  };
  EXPECT_MENTIONS(evaluate("1\tU1\t11/15/2019 8:55:22 AM\tS1 X1\tS2-1 X2-0\n").output,
                  "unknown items: 1 of 2 shown items", "1 in histories");
  expect_refusal(evaluate("1\tU1\t11/15/2019 8:55:22 AM\tS1\tX1-1 X2-0\n"),
                 {"none of the 2 items", "test part"});
  expect_refusal(evaluate("\tU1\t11/15/2019 8:55:22 AM\tS1\tS2-1 S3-0\n"),
                 {"behaviors.tsv:1", "id of the impression"});
  expect_refusal(evaluate("1\t\t11/15/2019 8:55:22 AM\tS1\tS2-1 S3-0\n"),
                 {"behaviors.tsv:1", "no user"});
}

TEST_F(RecommendCommand, EvaluateWritesThePredictionsThatTrainingWrote) {
  const auto model = clicks_->path("run/model"), file = clicks_->path("written.txt");
  const auto measured =
      run_program({"evaluate", model, clicks_->path("test"), "--json", "--predictions", file});
  EXPECT_EQ(measured.output, clicks_->content("run/test.json"));
  EXPECT_EQ(clicks_->content("written.txt"), clicks_->content("run/prediction.txt"));
  const auto blind =
      run_program({"evaluate", model, clicks_->path("blind"), "--predictions", file});
  EXPECT_EQ(blind.code, 0);
  EXPECT_EQ(blind.output, "");
  EXPECT_TRUE(clicks_->content("written.txt").starts_with("1 ["))
      << clicks_->content("written.txt");
}

TEST_F(RecommendCommand, AnEnsembleOfAModelWithItselfRanksAsTheModel) {
  const auto model = clicks_->path("run/model");
  const auto alone = nlohmann::json::parse(clicks_->content("run/test.json"));
  const auto result = run_program(
      {"evaluate", model, clicks_->path("test"), "--json", "--ensemble", model + "," + model});
  const auto together = nlohmann::json::parse(result.output);
  for (const auto* name : {"auc", "mrr", "ndcg_5", "ndcg_10", "impressions"}) {
    EXPECT_EQ(together[name], alone[name]) << name;
  }
  expect_refusal(run_program({"evaluate", model, clicks_->path("test"), "--ensemble", "nowhere"}),
                 {"nowhere"});
}

}  // namespace
}  // namespace fastformer::cli

#include "fastformer/study/experiment_results.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "fastformer/base/atomic_file.h"
#include "fastformer/metrics/item_results.h"
#include "fastformer/study/experiment_tables.h"
#include "fastformer/train/run_directory.h"
#include "support/temporary_folder.h"

namespace fastformer::study {
namespace {

namespace fs = std::filesystem;

using Predictions = std::vector<std::int32_t>;

TEST(MeanAndDeviation, AgreesWithNumpy) {
  // numpy.mean and numpy.std(ddof=1) of [0.6612, 0.6598, 0.6705].
  const auto three = mean_and_deviation({0.6612, 0.6598, 0.6705});
  EXPECT_NEAR(three.mean, 0.6638333333333334, 1e-15);
  EXPECT_NEAR(*three.deviation, 0.0058157831229622885, 1e-15);
  EXPECT_DOUBLE_EQ(*mean_and_deviation({1, 2}).deviation, std::sqrt(0.5));
  EXPECT_EQ(mean_and_deviation({4}).mean, 4);
  EXPECT_FALSE(mean_and_deviation({4}).deviation);
  EXPECT_MENTIONS(testing::error_of([] { mean_and_deviation({}); }), "no value");
}

// Two data sets, three variants, two seeds; cells are finished by hand.
class ResultsTest : public ::testing::Test {
 protected:
  ResultsTest() : experiment_(load("{ \"model.layers\" = 5 }")) {}

  Experiment load(const std::string& deep) {
    folder_.write("recipe.toml",
                  "[data]\ntrain = [\"data.csv\"]\ntext_columns = [\"2\"]\ntest_fraction = 0.5\n");
    const auto recipe = "recipe = \"" + (folder_ / "recipe.toml").string() + "\"\n";
    return Experiment::load(folder_.write(
        "grid.toml", "[experiment]\nname = \"mixers\"\noutput = \"" + (folder_ / "out").string() +
                         "\"\nseeds = [1, 2]\nmetrics = [\"accuracy\", \"macro_f1\", \"loss\"]\n"
                         "[[data]]\nname = \"films\"\nnote = \"From a club.\"\n" +
                         recipe + "[[data]]\nname = \"books\"\n" + recipe +
                         "[[variant]]\nname = \"base\"\npaper = { films = [60, 40] }\n"
                         "[[variant]]\nname = \"wide\"\nset = { \"model.width\" = 512 }\n"
                         "[[variant]]\nname = \"deep\"\nset = " +
                         deep + "\n"));
  }

  static train::RunResult result_of(double accuracy) {
    return {.steps = 7,
            .training_seconds = 1.5,
            .parameters = 1'234'567,
            .encoder_parameters = 4'321,
            .metric = "accuracy",
            .test = train::TestScores{
                .items = 4,
                .scores = {{"loss", 1.25}, {"accuracy", accuracy}, {"macro_f1", 0.5}},
                .baselines = {}}};
  }
  void finish(const Cell& cell, double accuracy, const Predictions& predicted,
              const Predictions& labels = {0, 0, 1, 1}) {
    fs::create_directories(cell.folder);
    base::write_file_atomically(cell.folder / train::kRecipeFile, cell.recipe->tree().to_toml());
    metrics::write_class_predictions(cell.folder / metrics::kClassPredictionsFile,
                                     {labels, predicted});
    train::write_run_result(cell.folder / train::kResultFile, result_of(accuracy));
  }

  testing::TemporaryFolder folder_;
  Experiment experiment_;
};

TEST_F(ResultsTest, ACellReportsItsState) {
  const auto& cell = experiment_.cell(0, 2, 0);
  EXPECT_EQ(status_of(cell).state, CellState::kNew);
  finish(cell, 0.5, {0, 0, 1, 1});
  EXPECT_EQ(status_of(cell).state, CellState::kFinished);
  EXPECT_EQ(status_of(cell).result->test->scores.at(1).value, 0.5);

  const auto other = load("{ \"model.layers\" = 6 }");
  const auto changed = status_of(other.cell(0, 2, 0));
  EXPECT_EQ(changed.state, CellState::kChanged);
  EXPECT_EQ(changed.change->now, "layers = 6");
  EXPECT_EQ(changed.change->before, "layers = 5");
  EXPECT_FALSE(changed.result);

  // A recipe of an older program, which did not know a field yet.
  const auto recipe = base::read_file(cell.folder / train::kRecipeFile);
  const auto line = recipe.find("token_dropout");
  const auto older = recipe.substr(0, line) + recipe.substr(recipe.find('\n', line) + 1);
  base::write_file_atomically(cell.folder / train::kRecipeFile, older);
  EXPECT_EQ(status_of(cell).state, CellState::kFinished);

  fs::remove(cell.folder / train::kResultFile);
  EXPECT_EQ(status_of(cell).state, CellState::kChanged);
  base::write_file_atomically(cell.folder / train::kRecipeFile, recipe);
  EXPECT_EQ(status_of(cell).state, CellState::kInterrupted);
  base::write_file_atomically(cell.folder / train::kResultFile, "{}");
  EXPECT_EQ(status_of(cell).state, CellState::kInterrupted);
}

TEST_F(ResultsTest, AChangedRunIsTakenAwayWhole) {
  const auto& cell = experiment_.cell(0, 2, 0);
  finish(cell, 0.5, {0, 0, 1, 1});
  fs::create_directories(cell.folder / train::kCheckpointsFolder);
  {
    const train::FolderLock lock(cell.folder);
    EXPECT_THROW(clear_folder(cell), train::FolderInUse);
    EXPECT_TRUE(fs::exists(cell.folder / train::kResultFile));
  }
  clear_folder(cell);
  EXPECT_FALSE(fs::exists(cell.folder));
  EXPECT_FALSE(fs::exists(cell.folder.string() + ".old"));
  // Without a recipe it is no run: what is there stays, but for checkpoints.
  fs::create_directories(cell.folder / train::kCheckpointsFolder);
  base::write_file_atomically(cell.folder / "notes.txt", "mine");
  clear_folder(cell);
  EXPECT_FALSE(fs::exists(cell.folder / train::kCheckpointsFolder));
  EXPECT_TRUE(fs::exists(cell.folder / "notes.txt"));
}

TEST_F(ResultsTest, WhatIsMissingIsShownAsMissing) {
  finish(experiment_.cell(0, 0, 0), 0.5, {0, 1, 1, 0});
  finish(experiment_.cell(0, 0, 1), 0.75, {0, 0, 1, 0});
  finish(experiment_.cell(0, 1, 1), 0.75, {0, 0, 1, 0});
  ResultsCollector collector(experiment_);
  const auto results = collector.collect();
  const auto csv = results_csv(experiment_, results);
  EXPECT_MENTIONS(csv, "films,base,1,finished,0.500000,0.500000,1.250000,4,7,1234567,1.500\n",
                  "films,wide,1,new,,,,,,,\n", "books,deep,2,new,,,,,,,\n");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 13);
  const auto table = results_markdown(experiment_, results);
  EXPECT_MENTIONS(table, "3 of 12 training runs are finished",
                  "## films\n\nFrom a club.\n\n4 test doc",
                  "| base | 2 | 62.50 ± 17.68 | **50.00** ± 0.00 | **1.2500** ± 0.0000 | - | - | "
                  "60.00 (+2.50) | 40.00 (+10.00) | 1.23 M (4.3 k) | 1.5 |\n",
                  "| wide | 1 of 2 | **75.00** | **50.00** | **1.2500** | +0.00 [+0.00, +0.00], "
                  "p = 1.000 | ",
                  "| deep | 0 of 2 | missing | missing | missing | - | - | - | - | missing | "
                  "missing |\n",
                  "## books\n\nNo training run on it is finished.\n");
  const auto json = nlohmann::json::parse(results_json(experiment_, results));
  EXPECT_EQ(json["data"][0]["variants"][0]["metrics"]["accuracy"]["mean"], 0.625);
  EXPECT_EQ(json["data"][0]["variants"][0]["paper_percent"]["macro_f1"], 40);
  EXPECT_EQ(json["data"][0]["variants"][1]["seeds"], nlohmann::json({2}));
  EXPECT_TRUE(json["data"][0]["variants"][1]["metrics"]["loss"]["deviation"].is_null());
  EXPECT_TRUE(json["data"][1]["variants"][2]["metrics"]["accuracy"].is_null());
  EXPECT_FALSE(json["data"][1]["variants"][2].contains("parameters"));
  EXPECT_EQ(json["task"], "classification");
  EXPECT_FALSE(json["data"][0].contains("baselines"));
}

TEST_F(ResultsTest, VariantsArePairedOverTheSeedsThatBothHave) {
  const Predictions labels = {0, 1, 0, 1, 0, 1, 0, 1}, inverted = {1, 0, 1, 0, 1, 0, 1, 0};
  const Predictions half = {0, 1, 0, 1, 1, 0, 1, 0};
  ResultsCollector collector(experiment_);
  finish(experiment_.cell(0, 0, 0), 0, inverted, labels);
  finish(experiment_.cell(0, 1, 0), 0.5, half, labels);
  finish(experiment_.cell(0, 2, 1), 0.5, half, labels);
  auto results = collector.collect();
  EXPECT_FALSE(results[0][0].comparison);
  ASSERT_TRUE(results[0][1].comparison);
  EXPECT_EQ(results[0][1].comparison->at("accuracy").difference, 0.5);
  EXPECT_FALSE(results[0][2].comparison);
  // One more cell: what it does not touch stays, what it touches is computed again.
  finish(experiment_.cell(0, 1, 1), 1, labels, labels);
  EXPECT_EQ(collector.collect()[0][1].comparison->at("accuracy").difference, 0.5);
  finish(experiment_.cell(0, 0, 1), 0.5, half, labels);
  results = collector.collect();
  EXPECT_EQ(results[0][1].comparison->at("accuracy").difference, 0.5);
  EXPECT_EQ(results[0][2].comparison->at("accuracy").difference, 0);
  EXPECT_EQ(results[0][2].comparison->at("accuracy").p, 1);
}

TEST_F(ResultsTest, OtherTestDocumentsPairWithNothing) {
  finish(experiment_.cell(0, 0, 0), 0.5, {0, 0, 1, 1}, {0, 0, 1, 1});
  finish(experiment_.cell(0, 1, 0), 0.5, {0, 0, 1, 1}, {0, 1, 0, 1});
  ResultsCollector collector(experiment_);
  EXPECT_FALSE(collector.collect()[0][1].comparison);
}

TEST_F(ResultsTest, DamagedPredictionsAreNamed) {
  const auto& cell = experiment_.cell(0, 1, 0);
  finish(experiment_.cell(0, 0, 0), 0.5, {0, 0, 1, 1});
  finish(cell, 0.5, {0, 0, 1, 1});
  for (const auto* rest : {"0,0\n1\n", "0,0\n1,x\n", "0,0\n-1,0\n", "0,0\n1,1x\n", "0,0\n\n"}) {
    base::write_file_atomically(
        cell.folder / metrics::kClassPredictionsFile,
        "label_number,predicted_number,row,label,predicted,probability\n" + std::string(rest));
    ResultsCollector collector(experiment_);
    EXPECT_MENTIONS(testing::error_of([&] { collector.collect(); }), "test_predictions.csv:3",
                    "run again");
  }
}

TEST_F(ResultsTest, TheFilesAreWrittenAndTheFolderIsFreeAgain) {
  finish(experiment_.cell(0, 0, 0), 0.5, {0, 0, 1, 1});
  ResultsCollector collector(experiment_);
  for (int i = 0; i < 2; ++i) write_results(experiment_, collector);
  for (const auto* name : {"results.csv", "results.md", "results.json"}) {
    EXPECT_GT(fs::file_size(folder_ / "out" / name), 100u) << name;
  }
}

// One data set of impressions, two variants, two seeds; cells are finished by hand.
class RankingResultsTest : public ::testing::Test {
 protected:
  RankingResultsTest() {
    folder_.write("recipe.toml",
                  "[task]\nname = \"recommendation\"\n[data]\ntrain = [\"data\"]\n"
                  "test_fraction = 0.5\n");
    experiment_ = Experiment::load(folder_.write(
        "grid.toml", "[experiment]\nname = \"matchers\"\noutput = \"" + (folder_ / "out").string() +
                         "\"\nseeds = [1, 2]\nmetrics = [\"auc\", \"ndcg_10\", \"loss\"]\n"
                         "[[data]]\nname = \"films\"\nrecipe = \"" +
                         (folder_ / "recipe.toml").string() +
                         "\"\n[[variant]]\nname = \"base\"\npaper = { films = [70, 40] }\n"
                         "[[variant]]\nname = \"nrms\"\nset = { \"model.model\" = \"nrms\" }\n"));
  }

  static metrics::Scores scores_of(double auc) {
    return {{"auc", auc}, {"mrr", 0.25}, {"ndcg_5", 0.25}, {"ndcg_10", 0.5}};
  }
  void finish(const Cell& cell, const std::vector<double>& auc) {
    fs::create_directories(cell.folder);
    base::write_file_atomically(cell.folder / train::kRecipeFile, cell.recipe->tree().to_toml());
    metrics::ItemScores items{.metrics = {"auc", "mrr", "ndcg_5", "ndcg_10"}};
    double mean = 0;
    for (std::size_t i = 0; i < auc.size(); ++i) {
      items.add(i, {auc[i], 0.25, 0.25, 0.5});
      mean += auc[i] / static_cast<double>(auc.size());
    }
    metrics::write_item_scores(cell.folder / metrics::kItemScoresFile, items);
    auto scores = scores_of(mean);
    scores.push_back({"loss", 1.25});
    train::write_run_result(
        cell.folder / train::kResultFile,
        {.steps = 7,
         .training_seconds = 1.5,
         .parameters = 12,
         .encoder_parameters = 3,
         .metric = "auc",
         .test = train::TestScores{
             .items = static_cast<std::int64_t>(auc.size()),
             .scores = scores,
             .baselines = {{"random", scores_of(0.5)}, {"popularity", scores_of(0.625)}}}});
  }

  testing::TemporaryFolder folder_;
  Experiment experiment_;
};

TEST_F(RankingResultsTest, TablesHaveTheScoresOfTheTaskAndTheBaselines) {
  ResultsCollector collector(experiment_);
  EXPECT_EQ(results_markdown(experiment_, collector.collect()).find("italics"), std::string::npos);
  finish(experiment_.cell(0, 0, 0), {0.5, 0.5, 0.75, 0.75});
  finish(experiment_.cell(0, 1, 0), {0.75, 0.75, 0.75, 0.75});
  const auto results = collector.collect();
  EXPECT_MENTIONS(
      results_csv(experiment_, results),
      "data,variant,seed,state,auc,mrr,ndcg_5,ndcg_10,loss,test_items,steps,parameters,"
      "training_seconds\n",
      "films,base,1,finished,0.625000,0.250000,0.250000,0.500000,1.250000,4,7,12,1.500\n",
      "films,nrms,2,new,,,,,,,,,\n");
  EXPECT_MENTIONS(
      results_markdown(experiment_, results), "over the test impressions (10,000", "In italics",
      "4 test impressions.\n\n| variant | seeds | AUC | nDCG@10 | loss | AUC against base | "
      "nDCG@10 against base | paper's AUC (difference) | paper's nDCG@10 (difference) | parameters "
      "| seconds |\n",
      "| base | 1 of 2 | 62.50 | **50.00** | **1.2500** | - | - | 70.00 (-7.50) | 40.00 (+10.00) | "
      "12 (3) | 1.5 |\n",
      "| nrms | 1 of 2 | **75.00** | **50.00** | **1.2500** | +12.50 [+0.00, +25.00], p = ",
      "| _random_ | - | 50.00 | 50.00 | - | - | - | - | - | - | - |\n"
      "| _popularity_ | - | 62.50 | 50.00 | - | - | - | - | - | - | - |\n");
  const auto json = nlohmann::json::parse(results_json(experiment_, results));
  EXPECT_EQ(json["task"], "recommendation");
  const auto& data = json["data"][0];
  EXPECT_EQ(data["baselines"][1]["name"], "popularity");
  EXPECT_EQ(data["baselines"][1]["scores"]["auc"], 0.625);
  EXPECT_EQ(data["variants"][0]["paper_percent"]["ndcg_10"], 40);
  EXPECT_EQ(data["variants"][1]["against_first"]["auc"]["difference"], 0.125);
  EXPECT_TRUE(data["variants"][1]["against_first"].contains("mrr"));
}

TEST_F(RankingResultsTest, ARunWithoutItsItemsIsNotFinished) {
  const auto& cell = experiment_.cell(0, 0, 0);
  finish(cell, {0.5, 0.5});
  EXPECT_EQ(status_of(cell).state, CellState::kFinished);
  fs::remove(cell.folder / metrics::kItemScoresFile);
  EXPECT_EQ(status_of(cell).state, CellState::kInterrupted);
}

}  // namespace
}  // namespace fastformer::study

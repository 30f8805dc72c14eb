#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/program.h"
#include "fastformer/base/format.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;
/// Ten news on sport and ten on markets as MIND writes them, users who like one of the two, and a
/// recipe that learns this within seconds.
class SmallClicks {
 public:
  static constexpr int kNews = 10;

  SmallClicks() {
    write_part("train", 48, true);
    write_part("validation", 8, true);
    write_part("test", 12, true);
    write_part("blind", 5, false);
    folder_.write("recipe.toml",
                  "[task]\nname = \"recommendation\"\n[data]\ntrain = [\"" + path("train") +
                      "\"]\nvalidation = [\"" + path("validation") + "\"]\ntest = [\"" +
                      path("test") +
                      "\"]\n[text]\nminimum_count = 1\n"
                      "[model]\nmodel = \"nrms\"\nwidth = 8\nheads = 2\nuser_heads = 2\n"
                      "query_width = 8\nnegatives = 2\ninitial_deviation = 0.3\n"
                      "[train]\nbatch_size = 8\nepochs = 4\nlearning_rate = 0.02\nthreads = 1\n"
                      "checkpoint_every = 3\nlog_every = 1\n");
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string content(const std::string& name) const { return content_of(folder_ / name); }
  const testing::TemporaryFolder& folder() const { return folder_; }
  Words train(const std::string& run) const {
    return {"train", path("recipe.toml"), "--output", path(run)};
  }
  Words recommend(const std::string& run, const std::string& history) const {
    return {"recommend", path(run + "/model"), "--news", path("test"), "--history", history};
  }
  void add_news(const std::string& id, const std::string& title) const {
    std::ofstream(folder_ / "test/news.tsv", std::ios::app) << row(id, title);
  }
  /// What a run leaves, and what must not depend on whether it was stopped.
  std::map<std::string, std::string> results(const std::string& run) const {
    std::map<std::string, std::string> files;
    for (const auto* file : {"model/model.safetensors", "test.json", "prediction.txt"}) {
      files[file] = content(run + "/" + file);
    }
    return files;
  }

 private:
  static std::string row(const std::string& id, const std::string& title) {
    return id + "\tnews\tnone\t" + title + "\tabstract\thttps://example.org\t[]\t[]\n";
  }
  static std::string news(bool sport, int number) {
    return base::format("%c%d", sport ? 'S' : 'M', number % kNews);
  }

  void write_part(const std::string& part, int impressions, bool labelled) const {
    std::string news_rows, behaviors;
    for (int i = 0; i < kNews; ++i) {
      news_rows += row(news(true, i), base::format("the team wins match %d", i));
      news_rows += row(news(false, i), base::format("oil prices fall %d percent", i));
    }
    for (int i = 0; i < impressions; ++i) {
      const bool sport = i % 2 == 0;
      const Words labels = labelled ? Words{"-1", "-0"} : Words{"", ""};
      behaviors += std::to_string(i + 1) + "\tU" + std::to_string(i) +
                   "\t11/15/2019 8:" + std::to_string(10 + i) + ":22 AM\t" + news(sport, i) + " " +
                   news(sport, i + 3) + "\t" + news(!sport, i + 1) + labels[1] + " " +
                   news(sport, i + 5) + labels[0] + " " + news(!sport, i + 2) + labels[1] + "\n";
    }
    fs::create_directory(folder_ / part);
    folder_.write(part + "/news.tsv", news_rows);
    folder_.write(part + "/behaviors.tsv", behaviors);
  }

  testing::TemporaryFolder folder_;
};

// The lines that are JSON: those of the log go to the same place in these tests.
std::vector<nlohmann::json> objects_of(const Outcome& outcome) {
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  std::vector<nlohmann::json> objects;
  std::istringstream lines(outcome.output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("{")) objects.push_back(nlohmann::json::parse(line));
  }
  return objects;
}

/// One training for all tests that only read the model.
class RecommendCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    clicks_ = new SmallClicks;
    trained_ = new Outcome(run_program(clicks_->train("run")));
  }
  static void TearDownTestSuite() {
    delete trained_;
    delete clicks_;
  }
  void SetUp() override { ASSERT_EQ(trained_->code, 0) << trained_->output; }

  static Outcome recommend(const std::string& history, const Words& more = {}) {
    return run_program(with(clicks_->recommend("run", history), more));
  }
  static SmallClicks* clicks_;
  static Outcome* trained_;
};
SmallClicks* RecommendCommand::clicks_ = nullptr;
Outcome* RecommendCommand::trained_ = nullptr;

TEST_F(RecommendCommand, TrainingLeavesModelScoresAndPredictions) {
  EXPECT_MENTIONS(trained_->output, "AUC", "nDCG@10", "random", "popularity", "category",
                  "impressions");
  for (const auto* file : {"recipe.toml", "metrics.jsonl", "model/config.json",
                           "model/tokenizer.json", "model/README.md"}) {
    EXPECT_FALSE(clicks_->content("run/" + std::string(file)).empty()) << file;
  }
  const auto scores = nlohmann::json::parse(clicks_->content("run/test.json"));
  EXPECT_EQ(scores["impressions"], 12);
  EXPECT_GT(scores["auc"], 0.9) << "two topics were not learned";
  const auto predictions = clicks_->content("run/prediction.txt");
  EXPECT_EQ(std::count(predictions.begin(), predictions.end(), '\n'), 12);
  EXPECT_TRUE(predictions.starts_with("1 [")) << predictions;
}

TEST_F(RecommendCommand, ChoosesNewsAndTellsWhichClicksSpokeForThem) {
  const auto objects = objects_of(recommend("S1,S2", {"--top", "4", "--json"}));
  ASSERT_EQ(objects.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& chosen = objects[i];
    EXPECT_TRUE(chosen["id"].get<std::string>().starts_with("S")) << chosen;
    EXPECT_TRUE(chosen["id"] != "S1" && chosen["id"] != "S2") << chosen;
    EXPECT_TRUE(chosen["title"].get<std::string>().starts_with("the team wins")) << chosen;
    if (i > 0) {
      EXPECT_LE(chosen["score"], objects[i - 1]["score"]);
    }
    ASSERT_EQ(chosen["clicks"].size(), 2u);
    EXPECT_EQ(chosen["clicks"][0]["id"], "S1");
    EXPECT_EQ(chosen["clicks"][1]["id"], "S2");
  }
  // What S1 adds is what a user without it lacks.
  for (const auto& other : objects_of(recommend("S2", {"--top", "99", "--json"}))) {
    if (other["id"] != objects[0]["id"]) continue;
    EXPECT_NEAR(objects[0]["clicks"][0]["adds"].get<double>(),
                objects[0]["score"].get<double>() - other["score"].get<double>(), 1e-4);
  }
}

TEST_F(RecommendCommand, PrintsTheSameForPeople) {
  const auto plain = recommend("S1,S2", {"--top", "2"});
  ASSERT_EQ(plain.code, 0) << plain.output;
  EXPECT_EQ(std::count(plain.output.begin(), plain.output.end(), '\n'), 6) << plain.output;
  for (const auto& chosen : objects_of(recommend("S1,S2", {"--top", "2", "--json"}))) {
    const auto id = chosen["id"].get<std::string>(), title = chosen["title"].get<std::string>();
    EXPECT_MENTIONS(plain.output, base::format("\t%s\t%s\n", id.c_str(), title.c_str()));
  }
  EXPECT_MENTIONS(plain.output, "  S1  the team wins match 1\n", "  S2  the team wins match 2\n");
}

TEST_F(RecommendCommand, AllNewsButThoseOfTheHistoryCanBeChosen) {
  EXPECT_EQ(objects_of(recommend("S1,M2", {"--top", "99", "--json"})).size(), 18u);
  EXPECT_EQ(objects_of(recommend("S1", {"--json"})).size(), 10u) << "--top is 10 by itself";
  const auto nothing =
      objects_of(run_program({"recommend", clicks_->path("run/model"), "--news",
                              clicks_->path("test/news.tsv"), "--top", "3", "--json"}));
  ASSERT_EQ(nothing.size(), 3u);
  EXPECT_FALSE(nothing[0].contains("clicks"));
}

TEST_F(RecommendCommand, UnknownClicksAreToldAndLeftOut) {
  const auto outcome = recommend("S1,X9,S2", {"--top", "3", "--json"});
  EXPECT_MENTIONS(outcome.output, "has no news 'X9'", "left out");
  EXPECT_EQ(objects_of(outcome), objects_of(recommend("S1,S2", {"--top", "3", "--json"})));
}

TEST_F(RecommendCommand, AnIndexSparesWhatWasEncoded) {
  const SmallClicks own;  // a catalogue that grows
  const Words index = {"--index", own.path("news.index"), "--top", "5", "--json"};
  const auto call = [&](const std::string& model) {
    return run_program(
        with({"recommend", model, "--news", own.path("test"), "--history", "S1,S2"}, index));
  };
  const auto model = clicks_->path("run/model");
  const auto first = call(model);
  EXPECT_MENTIONS(first.output, "encoded 21 of 21 titles");  // one stands for unknown news
  ASSERT_TRUE(fs::exists(own.path("news.index")));
  const auto second = call(model);
  EXPECT_MENTIONS(second.output, "encoded 0 of 21 titles");
  EXPECT_EQ(objects_of(second), objects_of(first));
  EXPECT_EQ(objects_of(first), objects_of(recommend("S1,S2", {"--top", "5", "--json"})));
  own.add_news("S10", "the team wins again");
  EXPECT_MENTIONS(call(model).output, "encoded 1 of 22 titles");

  ASSERT_EQ(run_program(with(own.train("other"), {"--set", "train.seed=2"})).code, 0);
  EXPECT_MENTIONS(call(own.path("other/model")).output, "encoded 22 of 22 titles");
  EXPECT_MENTIONS(call(model).output, "encoded 22 of 22 titles");
  const auto rounded = [&](const std::string& precision) {
    return run_program(with({"recommend", model, "--news", own.path("test"), "--history", "S1,S2",
                             "--precision", precision},
                            index));
  };
  EXPECT_MENTIONS(rounded("fp32").output, "encoded 0 of 22 titles");
  EXPECT_MENTIONS(rounded("bf16").output, "encoded 22 of 22 titles");
  EXPECT_MENTIONS(rounded("bf16").output, "encoded 0 of 22 titles");
  EXPECT_MENTIONS(call(model).output, "encoded 22 of 22 titles");
  own.folder().write("news.index", "no tensors");
  expect_refusal(call(model), {"news.index"});
}

TEST_F(RecommendCommand, InspectShowsTheModel) {
  const auto outcome = run_program({"inspect", clicks_->path("run/model")});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_MENTIONS(outcome.output, "parameters ", "kind recommender\n", "vocabulary ",
                  "model nrms\n", "titles by softmax, layers 1, width 8, heads 2\n",
                  "users by softmax, layers 1, width 8, heads 2\n", "titles of at most ",
                  "users by their last ");
}

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
  expect_refusal(run_program({"evaluate", model, clicks_->path("blind")}), {"prediction file"});
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
                 {"no test part", "name files"});
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
          "[model]\nmodel = \"nrms\"\nwidth = 8\nheads = 2\nuser_heads = 2\nquery_width = 8\n"
          "[train]\nmax_steps = 2\nthreads = 1\n");
  const auto run = folder / "run", model = run / "model";
  ASSERT_EQ(run_program({"train", recipe.string(), "--output", run.string()}).code, 0);

  const auto own = run_program({"evaluate", model.string(), "--json"});
  EXPECT_EQ(own.output, content_of(run / "test.json"));
  EXPECT_EQ(nlohmann::json::parse(own.output)["impressions"], 12);
  expect_refusal(run_program({"evaluate", model.string(), training}),
                 {"x.inter", "has learned from this file"});
  expect_refusal(run_program({"evaluate", model.string(), folder.path().string()}),
                 {"has learned from this file"});
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
      run_program({"recommend", model.string(), "--news", (folder / "x.item").string(), "--history",
                   "i1,i2", "--top", "1", "--json"});
  EXPECT_EQ(nlohmann::json::parse(chosen.output)["clicks"].size(), 2u) << chosen.output;
  expect_refusal(run_program({"recommend", model.string(), "--news", (folder / "x.item").string(),
                              "--set", "data.title_columns=[\"tilte\"]"}),
                 {"tilte", "did you mean 'title'"});
}

TEST_F(RecommendCommand, PredictionsDoNotOverwriteWhatIsRead) {
  const auto model = clicks_->path("run/model"), data = clicks_->path("test");
  const auto behaviors = clicks_->content("test/behaviors.tsv");
  for (const auto& place : {data + "/behaviors.tsv", model + "/config.json"}) {
    expect_refusal(run_program({"evaluate", model, data, "--predictions", place}),
                   {"--predictions", "what is read"});
  }
  EXPECT_EQ(clicks_->content("test/behaviors.tsv"), behaviors);
  expect_refusal(run_program({"evaluate", model, data, clicks_->path("train"), "--predictions",
                              clicks_->path("two.txt")}),
                 {"the id '1'", "one by one"});
}

TEST_F(RecommendCommand, UnknownNewsAreTold) {
  fs::create_directory(clicks_->path("few"));
  const auto data = clicks_->folder().write("few/news.tsv", clicks_->content("test/news.tsv"));
  const auto evaluate = [&](const std::string& row) {
    clicks_->folder().write("few/behaviors.tsv", row);
    return run_program({"evaluate", clicks_->path("run/model"), data.parent_path().string()});
  };
  EXPECT_MENTIONS(evaluate("1\tU1\t11/15/2019 8:55:22 AM\tS1 X1\tS2-1 X2-0\n").output,
                  "unknown news: 1 of 2 that were shown", "1 in histories");
  expect_refusal(evaluate("1\tU1\t11/15/2019 8:55:22 AM\tS1\tX1-1 X2-0\n"),
                 {"none of the 2 news", "test part"});
  expect_refusal(evaluate("\tU1\t11/15/2019 8:55:22 AM\tS1\tS2-1 S3-0\n"),
                 {"behaviors.tsv:1", "id of the impression"});
  expect_refusal(evaluate("1\t\t11/15/2019 8:55:22 AM\tS1\tS2-1 S3-0\n"),
                 {"behaviors.tsv:1", "no user"});
}

TEST_F(RecommendCommand, TheIndexIsNoPlaceForOtherFiles) {
  const auto weights = clicks_->path("run/model/model.safetensors");
  const auto before = content_of(weights);
  expect_refusal(recommend("S1", {"--index", weights}), {"model.safetensors", "no index of news"});
  EXPECT_EQ(content_of(weights), before);
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

TEST_F(RecommendCommand, AModelOfAnotherKindGetsOneSentence) {
  const auto model = clicks_->path("run/model");
  expect_refusal(run_program({"predict", model}, "oil\n"), {"of a recommender", "of a classifier"});
  expect_refusal(run_program({"summarize", model}, "oil\n"),
                 {"of a recommender", "of a summarizer"});
  const SmallTask task;
  ASSERT_EQ(run_program(with(task.train("run"), {"--set", "train.max_steps=1"})).code, 0);
  expect_refusal(
      run_program({"recommend", task.path("run/model"), "--news", clicks_->path("test")}),
      {"of a classifier", "of a recommender"});
  expect_refusal(
      run_program({"evaluate", task.path("run/model"), clicks_->path("test"), "--ensemble", model}),
      {"--ensemble", "for recommenders", "a classifier"});
  for (const auto* command : {"predict", "summarize"}) {
    expect_refusal(run_program({command, task.path("nowhere")}), {"no model directory"});
  }
  expect_refusal(run_program({"evaluate", task.path("nowhere"), clicks_->path("test")}),
                 {"no model directory"});
  const auto empty = clicks_->folder().write("config.json", "{}").parent_path().string();
  expect_refusal(run_program({"evaluate", empty, clicks_->path("test")}),
                 {"config.json", "format_version", "training wrote"});
}

TEST_F(RecommendCommand, BadInputGetsOneSentence) {
  const auto model = clicks_->path("run/model");
  expect_refusal(run_program({"recommend", model, "--news", clicks_->path("gone")}), {"gone"});
  expect_refusal(run_program({"recommend", model, "--news", clicks_->path("test/behaviors.tsv")}),
                 {"behaviors.tsv:1", "expected one of news.tsv"});
  expect_refusal(recommend("X1 X2"), {"none of the clicked news"});
  EXPECT_EQ(recommend(",", {"--top", "1"}).code, 0);
  expect_refusal(
      run_program({"recommend", model, "--news", clicks_->folder().write("bad.tsv", "N1\ta\n")}),
      {"bad.tsv:1", "2 columns"});
  EXPECT_EQ(run_program({"recommend", model}).code, 2);
  EXPECT_EQ(recommend("S1", {"--top", "0"}).code, 2);
  clicks_->folder().write("one.tsv", "N1\tnews\tnone\toil prices\tabstract\n");
  expect_refusal(
      run_program({"recommend", model, "--news", clicks_->path("one.tsv"), "--history", "N1"}),
      {"one.tsv", "no other news"});
}

TEST(RecommendTraining, StoppedOrKilledAndResumedItEndsIdentical) {
  expect_resumable(SmallClicks(), 600);
}

TEST(RecommendTraining, ABlindTestPartLeavesPredictionsOnly) {
  const SmallClicks clicks;
  const auto outcome =
      run_program(with(clicks.train("run"), {"--set", "train.max_steps=2", "--set",
                                             "data.test=[\"" + clicks.path("blind") + "\"]"}));
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  const auto predictions = clicks.content("run/prediction.txt");
  EXPECT_EQ(std::count(predictions.begin(), predictions.end(), '\n'), 5);
  EXPECT_FALSE(fs::exists(clicks.path("run/test.json")));
}

TEST(RecommendTraining, BadDataGetsOneSentence) {
  const SmallClicks clicks;
  const auto refused = [&](const Words& more, const Words& words) {
    fs::remove_all(clicks.path("bad"));
    expect_refusal(run_program(with(clicks.train("bad"), more)), words);
  };
  refused({"--set", "data.train=[]"}, {"data.train"});
  refused({"--set", "data.train=[\"" + clicks.path("blind") + "\"]"}, {"data.train", "labels"});
  refused({"--set", "data.test=[\"" + clicks.path("gone") + "\"]"}, {"gone"});
  refused({"--set", "train.metric=accuracy"}, {"accuracy", "auc"});
  refused({"--set", "train.label_smoothing=0.1"}, {"train.label_smoothing", "recommendation"});
  refused({"--set", "train.batch_by=tokens"}, {"train.batch_by", "recommendation"});
  expect_refusal(run_program({"export", clicks.path("recipe.toml"), clicks.path("parts")}),
                 {"recipe.toml", "for recommendation"});
  clicks.folder().write("train/behaviors.tsv", "1\tU1\t11/15/2019 8:55:22 AM\tS1\tS2-1 M1-0\n2\n");
  refused({}, {"behaviors.tsv:2", "5"});
}

}  // namespace
}  // namespace fastformer::cli

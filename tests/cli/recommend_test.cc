#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/small_clicks.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

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

TEST_F(RecommendCommand, ChoosesItemsAndShowsWhatEachClickAdds) {
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
  EXPECT_EQ(std::count(plain.output.begin(), plain.output.end(), '\n'), 7) << plain.output;
  EXPECT_MENTIONS(plain.output, "the score minus that without it\n");
  for (const auto& chosen : objects_of(recommend("S1,S2", {"--top", "2", "--json"}))) {
    const auto id = chosen["id"].get<std::string>(), title = chosen["title"].get<std::string>();
    EXPECT_MENTIONS(plain.output, base::format("\t%s\t%s\n", id.c_str(), title.c_str()));
  }
  EXPECT_MENTIONS(plain.output, "  S1  the team wins match 1\n", "  S2  the team wins match 2\n");
}

TEST_F(RecommendCommand, AllItemsButThoseOfTheHistoryCanBeChosen) {
  EXPECT_EQ(objects_of(recommend("S1,M2", {"--top", "99", "--json"})).size(), 18u);
  EXPECT_EQ(objects_of(recommend("S1", {"--json"})).size(), 10u) << "--top is 10 by itself";
  const auto same =
      objects_of(run_program({"recommend", clicks_->path("run/model"), "--news",
                              clicks_->path("test/news.tsv"), "--history", "S1", "--json"}));
  EXPECT_EQ(same.size(), 10u) << "--news and --items are the same option";
}

TEST_F(RecommendCommand, WithoutAHistoryItSaysWhatToGive) {
  const Words command = {"recommend", clicks_->path("run/model"), "--news",
                         clicks_->path("test/news.tsv")};
  expect_refusal(run_program(command), {"--history", "model.items.members"});
  expect_refusal(run_program(with(command, {"--history", "S1;S2"})), {"'S1;S2'", "commas"});
}

TEST_F(RecommendCommand, UnknownClicksAreReportedAndIgnored) {
  const auto outcome = recommend("S1,X9,S2", {"--top", "3", "--json"});
  EXPECT_MENTIONS(outcome.output, "has no item 'X9'", "is ignored");
  EXPECT_EQ(objects_of(outcome), objects_of(recommend("S1,S2", {"--top", "3", "--json"})));
}

TEST_F(RecommendCommand, AnIndexSparesWhatWasEncoded) {
  const SmallClicks own;  // a catalogue that grows
  const Words index = {"--index", own.path("items.index"), "--top", "5", "--json"};
  const auto call = [&](const std::string& model) {
    return run_program(
        with({"recommend", model, "--items", own.path("test"), "--history", "S1,S2"}, index));
  };
  const auto model = clicks_->path("run/model");
  const auto first = call(model);
  EXPECT_MENTIONS(first.output, "encoded 20 of 20 titles");
  ASSERT_TRUE(fs::exists(own.path("items.index")));
  const auto second = call(model);
  EXPECT_MENTIONS(second.output, "encoded 0 of 20 titles");
  EXPECT_EQ(objects_of(second), objects_of(first));
  EXPECT_EQ(objects_of(first), objects_of(recommend("S1,S2", {"--top", "5", "--json"})));
  own.add_item("S10", "the team wins again");
  EXPECT_MENTIONS(call(model).output, "encoded 1 of 21 titles");

  ASSERT_EQ(run_program(with(own.train("other"), {"--set", "train.seed=2"})).code, 0);
  EXPECT_MENTIONS(call(own.path("other/model")).output, "encoded 21 of 21 titles");
  EXPECT_MENTIONS(call(model).output, "encoded 21 of 21 titles");
  const auto rounded = [&](const std::string& precision) {
    return run_program(with({"recommend", model, "--items", own.path("test"), "--history", "S1,S2",
                             "--precision", precision},
                            index));
  };
  EXPECT_MENTIONS(rounded("fp32").output, "encoded 0 of 21 titles");
  EXPECT_MENTIONS(rounded("bf16").output, "encoded 21 of 21 titles");
  EXPECT_MENTIONS(rounded("bf16").output, "encoded 0 of 21 titles");
  EXPECT_MENTIONS(call(model).output, "encoded 21 of 21 titles");
  own.folder().write("items.index", "no tensors");
  expect_refusal(call(model), {"items.index"});
}

TEST_F(RecommendCommand, InspectShowsTheModel) {
  const auto outcome = run_program({"inspect", clicks_->path("run/model")});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_MENTIONS(outcome.output, "parameters ", "kind recommender\n", "vocabulary ",
                  "model nrms\n", "titles by softmax, layers 1, width 8, heads 2\n",
                  "users by softmax, layers 1, width 8, heads 2\n", "titles of at most ",
                  "histories of at most ");
}

TEST_F(RecommendCommand, TheIndexIsNoPlaceForOtherFiles) {
  const auto weights = clicks_->path("run/model/model.safetensors");
  const auto before = content_of(weights);
  expect_refusal(recommend("S1", {"--index", weights}), {"model.safetensors", "not an item index"});
  EXPECT_EQ(content_of(weights), before);
}

TEST_F(RecommendCommand, AModelOfAnotherKindGetsOneSentence) {
  const auto model = clicks_->path("run/model");
  expect_refusal(run_program({"predict", model}, "oil\n"),
                 {"contains a recommender", "'predict'", "evaluate, inspect, recommend"});
  expect_refusal(run_program({"summarize", model}, "oil\n"),
                 {"contains a recommender", "'summarize'", "evaluate, inspect, recommend"});
  const SmallTask task;
  ASSERT_EQ(run_program(with(task.train("run"), {"--set", "train.max_steps=1"})).code, 0);
  expect_refusal(
      run_program({"recommend", task.path("run/model"), "--items", clicks_->path("test")}),
      {"contains a classifier", "'recommend'", "evaluate, inspect, predict"});
  expect_refusal(
      run_program({"evaluate", task.path("run/model"), clicks_->path("test"), "--ensemble", model}),
      {"--ensemble", "for recommenders", "a classifier"});
  for (const auto* command : {"predict", "summarize"}) {
    expect_refusal(run_program({command, task.path("nowhere")}), {"not a model directory"});
  }
  expect_refusal(run_program({"evaluate", task.path("nowhere"), clicks_->path("test")}),
                 {"not a model directory"});
  const auto empty = clicks_->folder().write("config.json", "{}").parent_path().string();
  expect_refusal(run_program({"evaluate", empty, clicks_->path("test")}),
                 {"config.json", "no section 'format'", "training wrote"});
}

TEST_F(RecommendCommand, BadInputGetsOneSentence) {
  const auto model = clicks_->path("run/model");
  expect_refusal(run_program({"recommend", model, "--items", clicks_->path("gone")}), {"gone"});
  expect_refusal(run_program({"recommend", model, "--items", clicks_->path("test/behaviors.tsv")}),
                 {"behaviors.tsv:1", "expected one of news.tsv"});
  expect_refusal(recommend("X1 X2"), {"no item of the history", "'X1'"});
  expect_refusal(recommend("50;172"), {"'50;172'", "separate ids by commas"});
  expect_refusal(recommend(","), {"without a history", "--history", "\"popularity\""});
  expect_refusal(
      run_program({"recommend", model, "--items", clicks_->folder().write("bad.tsv", "N1\ta\n")}),
      {"bad.tsv:1", "2 columns"});
  EXPECT_EQ(run_program({"recommend", model}).code, 2);
  EXPECT_EQ(recommend("S1", {"--top", "0"}).code, 2);
  clicks_->folder().write("one.tsv", "N1\tnews\tnone\toil prices\tabstract\n");
  expect_refusal(
      run_program({"recommend", model, "--items", clicks_->path("one.tsv"), "--history", "N1"}),
      {"one.tsv", "no other items"});
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
  refused({"--set", "train.label_smoothing=0.1"}, {"'label_smoothing'", "[train]", "valid: seed"});
  refused({"--set", "train.batch_by=tokens"}, {"'batch_by'", "[train]", "'batch_size'"});
  expect_refusal(run_program({"export", clicks.path("recipe.toml"), clicks.path("parts")}),
                 {"recipe.toml", "for recommendation"});
  clicks.folder().write("train/behaviors.tsv", "1\tU1\t11/15/2019 8:55:22 AM\tS1\tS2-1 M1-0\n2\n");
  refused({}, {"behaviors.tsv:2", "5"});
}

}  // namespace
}  // namespace fastformer::cli

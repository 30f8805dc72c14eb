#include "fastformer/train/recipe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "fastformer/classification/training.h"
#include "fastformer/recommendation/training.h"
#include "fastformer/summarization/training.h"
#include "fastformer/tasks/task_table.h"
#include "support/temporary_folder.h"

namespace fastformer::tasks {
namespace {

const std::vector<std::string> kTasks = {"classification", "recommendation", "summarization"};

using RecipePointer = std::unique_ptr<train::Recipe>;

RecipePointer recipe_of(const std::string& task, const std::vector<std::string>& assignments = {}) {
  base::ConfigTree tree;
  tree.set("task.name=" + task);
  if (task == "classification") tree.set("data.text_columns=[\"text\"]");
  for (const auto& assignment : assignments) tree.set(assignment);
  return read_recipe(tree);
}

std::string error_of(const std::string& task, const std::vector<std::string>& assignments) {
  return testing::error_of([&] { recipe_of(task, assignments); });
}

// Fields that only one task has, away from what they are by themselves.
std::vector<std::string> settings_of(const std::string& task) {
  if (task == "recommendation") {
    return {"data.format=recbole",   "data.title_columns=[\"movie_title\", \"class\"]",
            "data.click_rating=3.5", "model.model=nrms",
            "model.users.layers=2",  "train.metric=ndcg_5"};
  }
  if (task == "summarization") {
    return {"data.source_field=article",
            "data.max_target_tokens=60",
            "model.decoder.layers=2",
            "model.decoder.copy=false",
            "search.beams=3",
            "search.length_penalty=0.5",
            "text.tokenizer=sentencepiece"};
  }
  return {"data.format=jsonl", "data.label_column=stars", "model.layers=3", "train.metric=macro_f1",
          "train.learning_rate=0.1"};
}

TEST(RecipeOfTasks, LoadedFromItsOwnTextItIsTheSame) {
  const testing::TemporaryFolder folder;
  for (const auto& task : kTasks) {
    for (const auto& settings : {std::vector<std::string>{}, settings_of(task)}) {
      const auto text = recipe_of(task, settings)->tree().to_toml();
      const auto again = load_recipe(folder.write("recipe.toml", text));
      EXPECT_EQ(again->tree().to_toml(), text);
      EXPECT_EQ(again->task(), task);
    }
    EXPECT_TRUE(train::first_difference(recipe_of(task)->tree().to_toml(),
                                        recipe_of(task, settings_of(task))->tree().to_toml()));
  }
}

TEST(RecipeOfTasks, EverySettingReachesItsField) {
  const auto clicks = recipe_of("recommendation", settings_of("recommendation"));
  const auto& recommender = dynamic_cast<const recommendation::Recipe&>(*clicks);
  EXPECT_EQ(recommender.data.title_columns, (std::vector<std::string>{"movie_title", "class"}));
  EXPECT_EQ(recommender.data.click_rating, 3.5);
  EXPECT_EQ(recommender.model.user_encoder().layers, 2);
  const auto pairs = recipe_of("summarization", settings_of("summarization"));
  const auto& summarizer = dynamic_cast<const summarization::Recipe&>(*pairs);
  EXPECT_EQ(summarizer.data.source_field, "article");
  EXPECT_FALSE(summarizer.model.decoder.copy);
  EXPECT_EQ(summarizer.search.beams, 3);
  const auto texts = recipe_of("classification", settings_of("classification"));
  const auto& classifier = dynamic_cast<const classification::Recipe&>(*texts);
  EXPECT_EQ(classifier.model.text.encoder.layers, 3);
}

TEST(RecipeOfTasks, TheMetricIsTheTasksFirstUnlessOneIsNamed) {
  EXPECT_EQ(recipe_of("classification")->train.metric, "accuracy");
  EXPECT_EQ(recipe_of("recommendation")->train.metric, "auc");
  EXPECT_EQ(recipe_of("summarization")->train.metric, "loss");
  for (const auto& task : kTasks) {
    EXPECT_EQ(recipe_of(task, {"train.metric=loss"})->train.metric, "loss");
  }
}

TEST(RecipeOfTasks, AMetricOfAnotherTaskIsRefused) {
  EXPECT_MENTIONS(error_of("classification", {"train.metric=auc"}), "train.metric", "'auc'",
                  "auto, accuracy, macro_f1");
  EXPECT_MENTIONS(error_of("recommendation", {"train.metric=accuracy"}), "'accuracy'",
                  "auto, auc, mrr, ndcg_5, ndcg_10");
  EXPECT_MENTIONS(error_of("summarization", {"train.metric=mrr"}), "'mrr'", "auto, loss");
}

TEST(RecipeOfTasks, WhatBelongsToAnotherTaskIsRefused) {
  for (const auto* task : {"classification", "recommendation"}) {
    EXPECT_MENTIONS(error_of(task, {"search.beams=4"}), "search");
  }
  EXPECT_MENTIONS(error_of("classification", {"data.history=3"}), "'history'", "data");
  EXPECT_MENTIONS(error_of("recommendation", {"data.label_column=x"}), "'label_column'");
  EXPECT_MENTIONS(error_of("summarization", {"model.users.layers=2"}), "'users'");
  EXPECT_MENTIONS(error_of("recommendation", {"model.decoder.layers=2"}), "'decoder'");
  EXPECT_MENTIONS(error_of("summarisation", {}), "task.name", "'summarization'");
}

TEST(RecipeOfTasks, APlaceInTheFileComesWithTheRefusal) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write("recipe.toml", "[train]\nepochs = 1\n[search]\nbeams = 2\n");
  EXPECT_MENTIONS(testing::error_of([&] { load_recipe(path); }), "recipe.toml:3", "search");
}

TEST(RecipeOfTasks, SaysWhatItReads) {
  const auto sources_of = [](const std::string& task, const std::vector<std::string>& more) {
    std::vector<std::string> texts;
    for (const auto& [field, path] : recipe_of(task, more)->sources()) {
      texts.push_back(field + " " + path.string());
    }
    return texts;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(sources_of("classification",
                       {"data.train=[\"a\", \"b\"]", "data.test=[\"c\"]", "train.word_vectors=v"}),
            (Texts{"data.train a", "data.train b", "data.test c", "train.word_vectors v"}));
  EXPECT_EQ(sources_of("recommendation", {"data.validation=[\"a\"]", "data.news=[\"n\"]"}),
            (Texts{"data.validation a", "data.news n"}));
  EXPECT_EQ(sources_of("summarization", {"data.train=[\"a\"]", "data.format=parallel"}),
            (Texts{"data.train a.source", "data.train a.target"}));
}

TEST(RecipeOfTasks, KnowsWhetherThereIsATestPart) {
  for (const auto& task : kTasks) {
    EXPECT_FALSE(recipe_of(task)->has_test_part()) << task;
    EXPECT_TRUE(recipe_of(task, {"data.test=[\"a\"]"})->has_test_part()) << task;
    if (task == "summarization") continue;
    EXPECT_TRUE(recipe_of(task, {"data.test_fraction=0.5"})->has_test_part()) << task;
  }
}

TEST(RecipeOfTasks, MainMetricsAreAmongThoseOfTheTest) {
  for (const auto& task : kTasks) {
    const auto measures = recipe_of(task)->measures();
    const auto& known = measures.test;
    EXPECT_EQ(known.back(), "loss");
    EXPECT_FALSE(measures.validation.empty());
    EXPECT_FALSE(measures.main.empty());
    for (const auto& name : measures.main) {
      EXPECT_NE(std::find(known.begin(), known.end(), name), known.end()) << name;
    }
  }
}

}  // namespace
}  // namespace fastformer::tasks

#include "fastformer/study/experiment.h"

#include <gtest/gtest.h>

#include "fastformer/base/format.h"
#include "fastformer/classification/training.h"
#include "fastformer/nn/mixers/low_rank_attention.h"
#include "fastformer/study/time_estimate.h"
#include "support/pretrained_folder.h"
#include "support/temporary_folder.h"

namespace fastformer::study {
namespace {

const classification::Recipe& recipe_of(const Cell& cell) {
  return dynamic_cast<const classification::Recipe&>(*cell.recipe);
}

class ExperimentTest : public ::testing::Test {
 protected:
  ExperimentTest() {
    folder_.write("data.csv", "a,x\nb,y\n");
    folder_.write("data.txt", "a\nb\n");
    recipe("recipe.toml", "");
  }

  // Lines 1 to 5; `more` begins in line 6.
  std::string recipe(const std::string& name, const std::string& more) {
    return folder_
        .write(name, "[data]\ntrain = [\"" + (folder_ / "data.csv").string() +
                         "\"]\ntext_columns = [\"2\"]\nlabel_column = \"1\"\ntest_fraction = "
                         "0.5\n" +
                         more)
        .string();
  }
  std::string grid(const std::string& text) { return folder_.write("grid.toml", text).string(); }
  std::string error_of(const std::string& text) {
    const auto path = grid(text);
    return testing::error_of([&] { Experiment::load(path); });
  }

  // Four lines each, the parts of a good file.
  const std::string experiment_ =
      "[experiment]\nname = \"mixers\"\nseeds = [3, 1]\noutput = \"out\"\n";
  std::string data(const std::string& name, const std::string& more = "") const {
    return data_of(name, "recipe.toml", more);
  }
  std::string data_of(const std::string& name, const std::string& recipe,
                      const std::string& more = "") const {
    return "[[data]]\nname = \"" + name + "\"\nrecipe = \"" + (folder_ / recipe).string() + "\"\n" +
           more + "\n";
  }
  // Recipes of the other tasks, each with a file that is not there.
  std::string ranking_recipe() const {
    folder_.write("ranking.toml", "[task]\nname = \"recommendation\"\n[data]\ntrain = [\"" +
                                      text_file() +
                                      "\"]\ntest = [\"gone_test\"]\n[model]\nwidth = 8\nheads = "
                                      "2\n[model.users]\nheads = 2\n");
    return "ranking.toml";
  }
  std::string pair_recipe() const {
    folder_.write("pairs.toml",
                  "[task]\nname = \"summarization\"\n[data]\nformat = \"parallel\"\n"
                  "source_field = \"csv\"\ntarget_field = \"gone\"\ntrain = [\"" +
                      (folder_ / "data").string() + "\"]\ntest = [\"" +
                      (folder_ / "data").string() + "\"]\n[model]\nwidth = 8\nheads = 2\n");
    return "pairs.toml";
  }
  std::string text_file() const { return (folder_ / "data.csv").string(); }
  static std::string variant(const std::string& name, const std::string& more = "") {
    return "[[variant]]\nname = \"" + name + "\"\n" + more + "\n\n";
  }
  testing::TemporaryFolder folder_;
};

TEST_F(ExperimentTest, CellsAreAllCombinationsTheFirstSeedFirst) {
  const auto experiment = Experiment::load(
      grid(experiment_ + data("films") + data("books") + variant("small") + variant("large")));
  std::vector<std::string> names;
  for (const auto& cell : experiment.cells()) names.push_back(cell.name);
  EXPECT_EQ(names, (std::vector<std::string>{"films/small/seed-3", "films/large/seed-3",
                                             "books/small/seed-3", "books/large/seed-3",
                                             "films/small/seed-1", "films/large/seed-1",
                                             "books/small/seed-1", "books/large/seed-1"}));
  const auto& cell = experiment.cell(1, 0, 1);
  EXPECT_EQ(cell.name, "books/small/seed-1");
  EXPECT_EQ(cell.folder, "out/books/small/seed-1");
  EXPECT_EQ(cell.recipe->train.seed, 1);
  EXPECT_EQ(experiment.select({"films", "large/seed-1"}).size(), 5u);
  EXPECT_EQ(experiment.select({}).size(), 8u);
  EXPECT_MENTIONS(testing::error_of([&] { experiment.select({"filmz"}); }), "'filmz'",
                  "films/small/seed-3");
}

TEST_F(ExperimentTest, TheVariantOverridesTheDataSetOverridesAllOverridesTheRecipe) {
  recipe("recipe.toml", "[model]\nwidth = 16\nheads = 1\nlayers = 1\n[train]\nseed = 9\n");
  const auto experiment = Experiment::load(
      grid(experiment_ + "set = { \"model.layers\" = 2, \"train.epochs\" = 7 }\n" +
           data("films", "set = { model.layers = 3, train = { batch_size = 5 } }") +
           variant("as it is") + variant("deep", "[variant.set]\n\"model.layers\" = 4\n")));
  const auto& plain = recipe_of(experiment.cell(0, 0, 0));
  EXPECT_EQ(plain.model.text.encoder.width, 16);
  EXPECT_EQ(plain.model.text.encoder.layers, 3);
  EXPECT_EQ(plain.train.epochs, 7);
  EXPECT_EQ(plain.batch.batch_size, 5);
  EXPECT_EQ(plain.train.seed, 3);
  EXPECT_EQ(recipe_of(experiment.cell(0, 1, 0)).model.text.encoder.layers, 4);
}

TEST_F(ExperimentTest, AVariantSetsOnOneDataSetAloneWhatOverridesItsOthers) {
  recipe("recipe.toml", "[model]\nwidth = 8\nheads = 1\n");
  const auto experiment = Experiment::load(grid(
      experiment_ + data("films") + data("books") +
      variant("deep",
              "set = { \"model.layers\" = 4, \"train.epochs\" = 2 }\n"
              "on = { books = { \"train.epochs\" = 5 }, films = { model = { width = 16 } } }")));
  const auto& films = recipe_of(experiment.cell(0, 0, 0));
  const auto& books = recipe_of(experiment.cell(1, 0, 0));
  EXPECT_EQ(films.model.text.encoder.width, 16);
  EXPECT_EQ(films.train.epochs, 2);
  EXPECT_EQ(books.model.text.encoder.width, 8);
  EXPECT_EQ(books.train.epochs, 5);
  EXPECT_EQ(books.model.text.encoder.layers, 4);
}

TEST_F(ExperimentTest, OverridesReachTheTablesOfASection) {
  for (const auto* set : {"\"model.mixer\" = \"low_rank\", \"model.mixer.projection\" = 3",
                          "model.mixer = { name = \"low_rank\", projection = 3 }",
                          "model = { mixer = { name = \"low_rank\", projection = 3 } }"}) {
    const auto experiment = Experiment::load(
        grid(experiment_ + data("films") + variant("a", base::format("set = { %s }", set))));
    const auto& mixer = recipe_of(experiment.cell(0, 0, 0)).model.text.encoder.mixer;
    EXPECT_EQ(mixer.name(), "low_rank") << set;
    ASSERT_NE(mixer.find_fields<nn::LowRankFields>(), nullptr) << set;
    EXPECT_EQ(mixer.find_fields<nn::LowRankFields>()->projection, 3) << set;
  }
  EXPECT_MENTIONS(
      error_of(experiment_ + data("films") + variant("a", "set = { \"model.mixer.windw\" = 3 }")),
      "grid.toml:11", "'windw'", "[model.mixer]");
  EXPECT_MENTIONS(error_of(experiment_ + data("films") +
                           variant("a", "set = { model = { mixr = { window = 3 } } }")),
                  "grid.toml:11", "'mixr'", "'mixer'");
}

TEST_F(ExperimentTest, AGridIsAVariantForEachCombination) {
  recipe("recipe.toml", "[model]\nheads = 1\n");
  const auto experiment = Experiment::load(grid(
      experiment_ + data("films") + variant("base") +
      variant(
          "size",
          "set = { \"train.epochs\" = 2 }\n"
          "grid = { \"model.layers\" = [1, 3], model.mixer.name = [\"additive\", \"linear\"] }")));
  std::vector<std::string> names;
  for (const auto& one : experiment.file().variants) names.push_back(one.name);
  EXPECT_EQ(names, (std::vector<std::string>{
                       "base", "size layers 1 name additive", "size layers 1 name linear",
                       "size layers 3 name additive", "size layers 3 name linear"}));
  const auto& last = recipe_of(experiment.cell(0, 4, 0));
  EXPECT_EQ(last.model.text.encoder.layers, 3);
  EXPECT_EQ(last.model.text.encoder.mixer.name(), "linear");
  EXPECT_EQ(last.train.epochs, 2);
  EXPECT_MENTIONS(
      error_of(experiment_ + data("films") + variant("a", "grid = { \"model.layers\" = 2 }")),
      "grid.toml:11", "list of values");
  const auto refused = [&](const std::string& more) {
    return error_of(experiment_ + data("films") + variant("a", more));
  };
  EXPECT_MENTIONS(refused("grid = {}"), "grid.toml:11", "no field");
  EXPECT_MENTIONS(refused("set = { \"model.layers\" = 1 }\ngrid = { \"model.layers\" = [2] }"),
                  "grid.toml:12", "model.layers");
  EXPECT_MENTIONS(refused("paper = { films = [1, 2] }\ngrid = { \"model.layers\" = [2, 3] }"),
                  "paper's figures", "grid");
}

TEST_F(ExperimentTest, DefaultsAndSettings) {
  const std::string rest = data("films") + variant("small", "paper = { films = [66.13, 43] }");
  auto file = ExperimentFile::load(grid("[experiment]\nname = \"mixers\"\nseeds = [0]\n" + rest));
  EXPECT_EQ(file.output, "runs/mixers");
  EXPECT_TRUE(file.metrics.empty());
  EXPECT_TRUE(file.keep_models);
  EXPECT_EQ(file.variants[0].paper.at("films").percents, (std::vector<double>{66.13, 43}));
  file = ExperimentFile::load(
      grid(experiment_ + "metrics = [\"loss\"]\nkeep_models = false\n" + rest));
  EXPECT_EQ(file.metrics, (std::vector<std::string>{"loss"}));
  EXPECT_FALSE(file.keep_models);
}

TEST_F(ExperimentTest, WhatIsWrongInTheFileGetsOneSentenceWithItsLine) {
  const std::string good = data("films") + variant("small");
  EXPECT_MENTIONS(error_of("[experiment\n"), "grid.toml:1", "TOML");
  EXPECT_MENTIONS(testing::error_of([&] { Experiment::load(folder_ / "none.toml"); }), "none.toml");
  EXPECT_MENTIONS(error_of(experiment_ + "sseds = [1]\n" + good), "grid.toml:5", "'sseds'",
                  "'seeds'");
  EXPECT_MENTIONS(error_of(experiment_ + "[[dta]]\n" + good), "grid.toml:5", "'dta'", "'data'");
  EXPECT_MENTIONS(error_of(experiment_ + data("films", "recipes = 1") + variant("a")),
                  "grid.toml:8", "'recipes'", "'recipe'");
  EXPECT_MENTIONS(error_of(experiment_ + data("films") + variant("a", "sett = {}")), "grid.toml:11",
                  "'sett'", "'set'");
  EXPECT_MENTIONS(error_of(experiment_ + "[data]\nname = \"x\"\n" + variant("a")), "grid.toml:5",
                  "[[data]]");
  EXPECT_MENTIONS(error_of("experiment = 3\n" + good), "grid.toml:1", "table");
  EXPECT_MENTIONS(error_of("[experiment]\nseeds = [1]\n" + good), "grid.toml:1", "name");
  EXPECT_MENTIONS(error_of("[experiment]\nname = \"a\"\n" + good), "grid.toml:1", "seeds");
  EXPECT_MENTIONS(error_of(experiment_ + data("films")), "grid.toml:1", "[[variant]]");
  EXPECT_MENTIONS(error_of(experiment_ + variant("a")), "grid.toml:1", "[[data]]");
  for (const auto* seeds : {"3", "[]", "[1, -1]", "[1, 2.5]", "[\"1\"]", "[2, 1, 2]"}) {
    EXPECT_MENTIONS(error_of("[experiment]\nname = \"a\"\nseeds = " + std::string(seeds) + "\n"),
                    "grid.toml:3", "seeds");
  }
  EXPECT_MENTIONS(error_of(experiment_ + "metrics = [\"acuracy\"]\n" + good), "grid.toml:5",
                  "'accuracy'");
  EXPECT_MENTIONS(error_of(experiment_ + "metrics = []\n" + good), "grid.toml:5", "metrics");
  EXPECT_MENTIONS(error_of(experiment_ + "keep_models = 1\n" + good), "grid.toml:5",
                  "true or false");
}

TEST_F(ExperimentTest, NamesAreFoldersAndGivenOnce) {
  for (const auto* name : {"", "../up", "a/b", ".hidden", "a|b", "a,b", " a", "a "}) {
    EXPECT_MENTIONS(error_of(experiment_ + data(name) + variant("a")), "grid.toml:6", "folder");
  }
  EXPECT_MENTIONS(error_of(experiment_ + data("films") + data("films") + variant("a")),
                  "grid.toml:10", "'films'", "line 6");
  EXPECT_MENTIONS(error_of(experiment_ + data("films") + variant("a") + variant("a")),
                  "grid.toml:14", "'a'", "line 10");
  EXPECT_MENTIONS(error_of(experiment_ + "[[data]]\nrecipe = \"r\"\n" + variant("a")),
                  "grid.toml:5", "no name");
  EXPECT_MENTIONS(error_of(experiment_ + data("films") + "[[variant]]\n"), "grid.toml:9",
                  "no name");
}

TEST_F(ExperimentTest, WhatIsWrongInACellGetsOneSentenceWithItsLine) {
  const auto with_set = [&](const std::string& set) {
    return error_of(experiment_ + data("films") + variant("a", "set = " + set));
  };
  EXPECT_MENTIONS(with_set("{ \"model.layer\" = 2 }"), "grid.toml:11", "'layer'", "'layers'");
  EXPECT_MENTIONS(with_set("{ \"modl.layers\" = 2 }"), "grid.toml:11", "[modl]", "'model'");
  EXPECT_MENTIONS(with_set("{ \"model.layers\" = \"two\" }"), "grid.toml:11", "whole number");
  EXPECT_MENTIONS(with_set("{ \"model.layers\" = -2 }"), "grid.toml:11", "between");
  EXPECT_MENTIONS(with_set("{ \"model.mixer\" = \"aditive\" }"), "grid.toml:11", "'additive'");
  EXPECT_MENTIONS(with_set("{ \"model.layers\" = [[2]] }"), "grid.toml:11", "a list of strings");
  EXPECT_MENTIONS(with_set("{ layers = 2 }"), "grid.toml:11", "'layers'", "section");
  EXPECT_MENTIONS(with_set("3"), "grid.toml:11", "table");
  EXPECT_MENTIONS(with_set("{ \"train.seed\" = 2 }"), "grid.toml:11", "seeds");
  EXPECT_MENTIONS(with_set("{ \"task.name\" = \"summarization\" }"), "grid.toml:11", "task");
  // What only the whole recipe shows names the variant and the data set.
  EXPECT_MENTIONS(with_set("{ \"model.width\" = 7 }"), "grid.toml:10", "'a'", "'films'",
                  "multiple of");
  EXPECT_MENTIONS(
      error_of(experiment_ + data("films", "set = { \"data.test_fraction\" = 0 }") + variant("a")),
      "grid.toml:6", "'films'", "no test part");
  const auto with_on = [&](const std::string& on) {
    return error_of(experiment_ + data("films") + variant("a", "on = " + on));
  };
  EXPECT_MENTIONS(with_on("{ filmz = { \"model.layers\" = 2 } }"), "grid.toml:11", "'filmz'",
                  "'films'");
  EXPECT_MENTIONS(with_on("{ films = 3 }"), "grid.toml:11", "films must be a table");
  EXPECT_MENTIONS(with_on("{ films = { \"train.seed\" = 2 } }"), "grid.toml:11", "seeds");
  EXPECT_MENTIONS(with_on("{ films = { \"model.layerz\" = 2 } }"), "grid.toml:11", "'layerz'");
  const auto with_paper = [&](const std::string& paper) {
    return error_of(experiment_ + data("films") + variant("a", "paper = " + paper));
  };
  EXPECT_MENTIONS(with_paper("{ filmz = [1, 2] }"), "grid.toml:11", "'filmz'", "'films'");
  for (const auto* scores : {"[]", "[1]", "[1, 2, 3]", "[1, \"2\"]", "[101, 2]", "66.1"}) {
    EXPECT_MENTIONS(with_paper("{ films = " + std::string(scores) + " }"), "grid.toml:11",
                    "percent");
  }
}

TEST_F(ExperimentTest, TheTaskOfTheRecipesSaysWhatIsMeasured) {
  const auto load = [&](const std::string& metrics, const std::string& recipe) {
    return Experiment::load(
        grid(experiment_ + metrics + data_of("films", recipe) + variant("small")));
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(load("", "recipe.toml").metrics(), (Names{"accuracy", "macro_f1"}));
  const auto ranking = load("", ranking_recipe());
  EXPECT_EQ(ranking.task(), "recommendation");
  EXPECT_EQ(ranking.metrics(), (Names{"auc", "mrr", "ndcg_5", "ndcg_10"}));
  EXPECT_EQ(load("", pair_recipe()).metrics(), (Names{"rouge_1", "rouge_2", "rouge_l"}));
  EXPECT_EQ(load("metrics = [\"loss\", \"rouge_lsum\"]\n", pair_recipe()).metrics(),
            (Names{"loss", "rouge_lsum"}));

  const auto refused = [&](const std::string& metric, const std::string& recipe) {
    return error_of(experiment_ + "metrics = [\"" + metric + "\"]\n" + data_of("films", recipe) +
                    variant("small"));
  };
  EXPECT_MENTIONS(refused("accuracy", ranking_recipe()), "grid.toml:5", "recommendation",
                  "'accuracy'", "ndcg_10");
  EXPECT_MENTIONS(refused("rouge_3", pair_recipe()), "grid.toml:5", "summarization", "'rouge_1'");
  EXPECT_MENTIONS(refused("auc", "recipe.toml"), "grid.toml:5", "classification", "'auc'");
}

TEST_F(ExperimentTest, AllDataSetsAreOfOneTask) {
  EXPECT_MENTIONS(error_of(experiment_ + data("films") + data_of("clicks", ranking_recipe()) +
                           variant("small", "set = { \"model.interaction\" = \"add\" }")),
                  "grid.toml:10", "'clicks' is for recommendation", "'films' for classification",
                  "the same task");
}

TEST_F(ExperimentTest, ThePaperHasAFigureForEachMetricButTheLoss) {
  const auto grid_with = [&](const std::string& figures) {
    return experiment_ + "metrics = [\"loss\", \"ndcg_5\", \"auc\"]\n" +
           data_of("films", ranking_recipe()) +
           variant("small", "paper = { films = " + figures + " }");
  };
  const auto experiment = Experiment::load(grid(grid_with("[36.5, 68]")));
  EXPECT_EQ(experiment.paper_percent(0, 0, "ndcg_5"), 36.5);
  EXPECT_EQ(experiment.paper_percent(0, 0, "auc"), 68);
  EXPECT_FALSE(experiment.paper_percent(0, 0, "loss"));
  EXPECT_MENTIONS(error_of(grid_with("[36.5]")), "grid.toml:12", "'films' in paper has length 1",
                  "expected 2", "(ndcg_5, auc)");
  EXPECT_MENTIONS(error_of(grid_with("[36.5, 68, 1]")), "grid.toml:12",
                  "'films' in paper has length 3");
}

TEST_F(ExperimentTest, EveryTaskNeedsATestPart) {
  for (const auto& recipe : {ranking_recipe(), pair_recipe()}) {
    EXPECT_MENTIONS(
        error_of(experiment_ + data_of("films", recipe, "set = { \"data.test\" = [] }") +
                 variant("small")),
        "grid.toml:6", "'films'", "no test part", "data.test");
  }
}

TEST_F(ExperimentTest, ABadRecipeNamesBothFiles) {
  const std::string rest = variant("a");
  EXPECT_MENTIONS(error_of(experiment_ + "[[data]]\nname = \"x\"\nrecipe = \"gone.toml\"\n" + rest),
                  "grid.toml:7", "'gone.toml'");
  recipe("recipe.toml", "[model\n");
  EXPECT_MENTIONS(error_of(experiment_ + data("films") + rest), "grid.toml:7", "recipe.toml:6");
  recipe("recipe.toml", "[model]\nlayer = 2\n");
  EXPECT_MENTIONS(error_of(experiment_ + data("films") + rest), "grid.toml:10", "recipe.toml:7",
                  "'layers'");
}

TEST_F(ExperimentTest, FilesThatTheCellsReadMustExist) {
  const auto experiment = Experiment::load(
      grid(experiment_ + data("films") + data("books", "set = { \"data.train\" = \"gone.csv\" }") +
           variant("a") + variant("b", "set = { \"train.word_vectors\" = \"gone.txt\" }")));
  const auto error = [&](const std::vector<std::string>& only) {
    return testing::error_of([&] { experiment.check_ready(experiment.select(only)); });
  };
  EXPECT_MENTIONS(error({"books"}), "grid.toml:10", "'books'", "gone.csv");
  EXPECT_MENTIONS(error({"films/b"}), "grid.toml:6", "'films'", "gone.txt", "word_vectors");
  EXPECT_EQ(error({"films/a"}), "");
}

TEST_F(ExperimentTest, EveryTaskNamesItsSources) {
  const auto error = [&](const std::string& recipe, const std::string& set) {
    const auto experiment = Experiment::load(
        grid(experiment_ + data_of("films", recipe) + variant("small", "set = { " + set + " }")));
    return testing::error_of([&] { experiment.check_ready(experiment.select({})); });
  };
  const auto texts = base::format("[\"%s\"]", text_file().c_str());
  EXPECT_MENTIONS(error(ranking_recipe(), ""), "grid.toml:6", "'films'", "gone_test", "data.test");
  EXPECT_MENTIONS(error(ranking_recipe(), "data.test = " + texts + ", data.news = [\"no.tsv\"]"),
                  "grid.toml:6", "no.tsv", "data.news");
  EXPECT_EQ(error(ranking_recipe(), "data.test = " + texts), "");
  EXPECT_MENTIONS(error(pair_recipe(), ""), "grid.toml:6", "data.gone", "data.train");
  EXPECT_EQ(error(pair_recipe(), "data.target_field = \"txt\""), "");
  EXPECT_MENTIONS(error(pair_recipe(),
                        "data.target_field = \"txt\", text.tokenizer = \"wordpiece\", "
                        "text.model_file = \"no.txt\""),
                  "grid.toml:6", "no.txt", "text.model_file");
}

class PretrainedExperiment : public testing::PretrainedFolder {
 protected:
  std::string error_of(const std::string& set) const {
    folder_.write("data.txt", "");
    folder_.write(
        "recipe.toml",
        base::format("[task]\nname = \"recommendation\"\n[data]\ntrain = [\"%s\"]\n"
                     "test_fraction = 0.5\n[text]\ntokenizer = \"wordpiece\"\n"
                     "model_file = \"%s\"\nspecial_tokens = true\nnormalization = \"none\"\n"
                     "strip_accents = true\n[model]\nmodel = \"plm_nr\"\n"
                     "pretrained = \"%s\"\nwidth = 8\n[model.users]\nheads = 2\n",
                     (folder_ / "data.txt").c_str(), (folder_ / "vocab.txt").c_str(),
                     folder_.path().c_str()));
    const auto experiment = Experiment::load(folder_.write(
        "grid.toml", base::format("[experiment]\nname = \"a\"\nseeds = [1]\n[[data]]\nname = "
                                  "\"films\"\nrecipe = \"%s\"\n[[variant]]\nname = \"deep\"\n"
                                  "set = { %s }\n",
                                  (folder_ / "recipe.toml").c_str(), set.c_str())));
    return testing::error_of([&] { experiment.check_ready(experiment.select({})); });
  }
};

TEST_F(PretrainedExperiment, ReportsWhatCannotBeReadOrBuilt) {
  EXPECT_EQ(error_of(""), "");
  EXPECT_MENTIONS(error_of("model.trainable_layers = 3"), "grid.toml:8", "'deep'", "'films'", "3");
  std::filesystem::remove(folder_ / "model.safetensors");
  EXPECT_MENTIONS(error_of(""), "grid.toml:5", "'films'", "model.safetensors", "BERT model");
}

TEST_F(ExperimentTest, TimeIsGuessedFromTheNearestCells) {
  const auto experiment = Experiment::load(grid(experiment_ + data("films") + data("books") +
                                                variant("a") + variant("b") + variant("c")));
  TimeEstimate estimate;
  EXPECT_FALSE(estimate.seconds_for(experiment.select({})));
  estimate.add(experiment.cell(0, 0, 0), 10);
  estimate.add(experiment.cell(0, 1, 0), 30);
  EXPECT_EQ(estimate.seconds_for({&experiment.cell(0, 0, 1)}), 10);
  EXPECT_EQ(estimate.seconds_for({&experiment.cell(0, 2, 1)}), 20);
  EXPECT_EQ(estimate.seconds_for({&experiment.cell(1, 0, 0)}), 20);
  estimate.add(experiment.cell(1, 0, 0), 80);
  EXPECT_EQ(estimate.seconds_for({&experiment.cell(1, 1, 0), &experiment.cell(0, 1, 1)}), 110);
  EXPECT_EQ(estimate.seconds_for({}), 0);
}

}  // namespace
}  // namespace fastformer::study

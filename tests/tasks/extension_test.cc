// A reader, a mixer with a field, metrics and a task of somebody else: what the table "To add" of
// CONTRIBUTING.md names is all that they need.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/base/model_directory.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/classification/training.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/metrics/confusion_matrix.h"
#include "fastformer/metrics/ranking.h"
#include "fastformer/nn/mixers/mixer.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/tasks/task_table.h"
#include "fastformer/train/training_run.h"
#include "support/temporary_folder.h"

namespace fastformer {
namespace {

namespace fs = std::filesystem;

// ---- a reader: lines of "label: text"

class ColonReader final : public classification::Reader {
 public:
  explicit ColonReader(const fs::path& file) : lines_(file) {}

  bool next(classification::Example& example) override {
    std::string line;
    if (!lines_.next(line)) return false;
    const auto colon = line.find(':');
    if (colon == std::string::npos) {
      throw std::invalid_argument(lines_.where() + ": has no colon, expected \"label: text\"");
    }
    example = {
        .text = line.substr(colon + 1), .label = line.substr(0, colon), .where = lines_.where()};
    return true;
  }

 private:
  data::LineStream lines_;
};

// ---- a mixer with a field: y_i = x_i + decay y_(i-1), over each sequence

struct DecayFields {
  double decay = 0.5;

  void visit_fields(base::FieldVisitor& visit) {
    visit("decay", decay, "what a row keeps of the one before it", base::between(0, 1));
  }
  void validate() const {}
};

class DecayMixer final : public nn::Mixer {
 public:
  DecayMixer(const model::MixerShape& shape, const DecayFields& fields, nn::ParameterStore& store,
             const std::string& name)
      : decay_(fields.decay), scale_(store.constant(name + ".scale", {shape.width}, 1)) {}

  at::Tensor forward(const at::Tensor& x, const nn::Offsets& offsets,
                     nn::MixerTrace*) const override {
    std::vector<at::Tensor> rows;
    for (std::int64_t b = 0; b < offsets.size(); ++b) {
      for (std::int64_t i = 0; i < offsets.length(b); ++i) {
        const auto row = x[offsets.begin_of(b) + i];
        rows.push_back(i == 0 ? row : row + decay_ * rows.back());
      }
    }
    return rows.empty() ? x : at::stack(rows) * scale_;
  }

 private:
  double decay_;
  at::Tensor scale_;
};

// ---- a task: to find a number

constexpr const char* kNumberFile = "number.safetensors";

struct NumberFields {
  double number = 3;

  void visit_fields(base::FieldVisitor& visit) { visit("number", number, "the number to find"); }
  void validate() const {}
};

class NumberTask final : public train::Task {
 public:
  NumberTask(double number, std::uint64_t seed)
      : number_(number), store_(seed), guess_(store_.normal("guess", {1})) {}

  std::string title() const override { return "Number"; }
  std::string summary() const override { return "one number\n"; }
  std::vector<train::PreparedPart> prepared() const override { return {}; }
  const nn::ParameterMap& parameters() const override { return store_.parameters(); }
  std::set<std::string> row_sparse_parameters() const override { return {}; }
  std::int64_t batches(std::int64_t) const override { return 20; }
  std::int64_t begin_epoch(std::int64_t, std::int64_t) override { return 20; }
  void next_batch() override {}
  std::int64_t tokens() const override { return 1; }
  std::vector<std::pair<std::string, at::Tensor>> touched_rows() const override { return {}; }
  at::Tensor loss() const override { return (guess_ - number_).square().sum(); }
  metrics::Scores validate() const override { return {{"loss", loss().item<double>()}}; }
  train::TestReport test(const fs::path&) const override {
    return {.items = 1, .scores = validate(), .baselines = {}, .table = ""};
  }
  void save_model(const fs::path& directory, const std::string& card) const override {
    base::write_model_directory(directory, "number", {}, card, [&](const fs::path& fresh) {
      nn::save_tensors(fresh / kNumberFile, parameters());
    });
  }

 private:
  double number_;
  nn::ParameterStore store_;
  at::Tensor guess_;
};

class NumberRecipe final : public train::Recipe {
 public:
  NumberFields data;

  static std::unique_ptr<train::Recipe> read(const base::ConfigTree& tree) {
    auto recipe = std::make_unique<NumberRecipe>();
    tree.check_sections({"task", "data", "train"});
    tree.read_section("data", recipe->data);
    train::TrainSection<NumberRecipe> section{*recipe};
    tree.read_section("train", section);
    recipe->resolve_metric();
    return recipe;
  }

  std::string task() const override { return "number"; }
  train::Measures measures() const override {
    return {.validation = {"loss"}, .test = {"loss"}, .main = {"loss"}, .items = "numbers"};
  }
  base::ConfigTree tree() const override {
    auto copy = *this;
    base::ConfigTree tree;
    tree.set("task", "name", {task(), "resolved"});
    tree.write_section("data", data);
    tree.write_section("train", train::TrainSection<NumberRecipe>{copy});
    return tree;
  }
  std::vector<train::RecipeSource> sources() const override { return {}; }
  bool has_test_part() const override { return true; }
  std::unique_ptr<train::Task> open(const fs::path&, const data::Notice&) const override {
    return std::make_unique<NumberTask>(data.number, static_cast<std::uint64_t>(train.seed));
  }
  void check_model() const override {}
  nn::ParameterMap largest_model() const override { return NumberTask(0, 1).parameters(); }

  void visit_train_fields(base::FieldVisitor& visit) { train.visit_fields(visit, measures()); }
};

double number_in(const fs::path& model) {
  return nn::load_tensors(model / kNumberFile).tensors.at("guess").item<double>();
}

train::TaskKind number_kind() {
  return {.name = "number",
          .models = {"number"},
          .commands = {},
          .read_recipe = NumberRecipe::read,
          .sections = [] { return std::vector<train::RecipeSection>(); },
          .inspect = [](const fs::path& model) { return std::to_string(number_in(model)); },
          .evaluate =
              [](const train::EvaluationRequest& request, const train::NoticeSink&) {
                return train::EvaluationReport{.table = std::to_string(number_in(request.model)),
                                               .json = "{}"};
              },
          .export_parts = nullptr};
}

// ---- all of them, registered once for the tests below

class Extensions : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    classification::register_reader(
        {.name = "colon", .open = [](const auto&, const fs::path& file) {
           return std::make_unique<ColonReader>(file);
         }});
    nn::register_mixer<DecayFields>(
        "decay", [](const model::MixerShape& shape, const DecayFields& fields,
                    nn::ParameterStore& store, const std::string& name) {
          return std::make_unique<DecayMixer>(shape, fields, store, name);
        });
    metrics::register_class_metric(
        {"error_rate", "error rate",
         [](const metrics::ConfusionMatrix& matrix) { return 1 - matrix.accuracy(); }});
    metrics::register_ranking_metric({"hit_1", "hit@1", [](const metrics::Ranking& ranking) {
                                        return ranking.relevant[ranking.order[0]] == 1 ? 1.0 : 0.0;
                                      }});
    tasks::register_task(number_kind());
  }
  testing::TemporaryFolder folder_;
};

TEST_F(Extensions, AReaderAMixerAndAMetricServeARecipe) {
  std::string lines;
  for (int i = 0; i < 60; ++i)
    lines += i % 2 == 0 ? "sport: the team wins\n" : "market: oil falls\n";
  const auto recipe = classification::Recipe::load(
      folder_.write("recipe.toml", "[data]\nformat = \"colon\"\ntrain = [\"" +
                                       folder_.write("a.txt", lines).string() +
                                       "\"]\nvalidation_fraction = 0.2\ntest_fraction = 0.2\n"
                                       "[model]\nwidth = 8\nheads = 2\nffn_width = 8\n"
                                       "[model.mixer]\nname = \"decay\"\ndecay = 0.25\n"
                                       "[train]\nepochs = 8\nbatch_size = 8\nlearning_rate = 1e-2\n"
                                       "metric = \"error_rate\"\n"));
  EXPECT_EQ(recipe.model.text.encoder.mixer.fields<DecayFields>().decay, 0.25);
  const auto classifier = classification::train(recipe, folder_ / "run");
  EXPECT_EQ(classifier.classify("the team").label, "sport");
  EXPECT_EQ(classifier.classify("oil").label, "market");
  const auto model = folder_ / "run/model";
  EXPECT_EQ(
      classification::ClassifierContent::load(model).model->config().text.encoder.mixer.name(),
      "decay");
  const auto& kind = tasks::task_of_model(model);
  const auto report = kind.evaluate(
      {.model = model, .data = {(folder_ / "a.txt").string()}, .options = {}}, nullptr);
  EXPECT_MENTIONS(report.table, "error rate 0.0000");
  EXPECT_MENTIONS(report.json, "\"error_rate\"");
  // A line that the reader refuses comes with its place.
  const auto bad = folder_.write("b.txt", "sport: yes\nnothing\n").string();
  EXPECT_MENTIONS(testing::error_of([&] {
                    kind.evaluate({.model = model, .data = {bad}, .options = {}}, nullptr);
                  }),
                  "b.txt:2", "label: text");
}

TEST_F(Extensions, TheFieldsOfAMixerAreCheckedLikeAnyOther) {
  const auto error_of = [](const std::vector<std::string>& assignments) {
    base::ConfigTree tree;
    for (const auto& assignment : assignments) tree.set(assignment);
    return testing::error_of([&] { model::ClassifierConfig::read(tree); });
  };
  EXPECT_EQ(error_of({"model.mixer=decay", "model.mixer.decay=1"}), "");
  EXPECT_MENTIONS(error_of({"model.mixer=decay", "model.mixer.decay=1.5"}), "decay", "1.5");
  EXPECT_MENTIONS(error_of({"model.mixer=decay", "model.mixer.window=3"}), "'window'");
  EXPECT_MENTIONS(error_of({"model.mixer=softmax", "model.mixer.decay=1"}), "'decay'");
  EXPECT_MENTIONS(error_of({"model.mixer=decoy"}), "did you mean 'decay'");
}

TEST_F(Extensions, ARankingMetricIsMeasuredWithTheOthers) {
  metrics::RankingMean mean;
  mean.add(std::vector<std::uint8_t>{1, 0}, std::vector<double>{2, 1});
  mean.add(std::vector<std::uint8_t>{1, 0}, std::vector<double>{1, 2});
  EXPECT_EQ(metrics::score_of(mean.mean(), "hit_1"), 0.5);
  EXPECT_EQ(metrics::score_title("hit_1"), "hit@1");
  base::ConfigTree tree;
  tree.set("task.name=recommendation");
  tree.set("train.metric=hit_1");
  EXPECT_EQ(tasks::read_recipe(tree)->train.metric, "hit_1");
}

TEST_F(Extensions, ATaskIsTrainedSavedFoundAndResumed) {
  const auto recipe =
      tasks::load_recipe(folder_.write("recipe.toml",
                                       "[task]\nname = \"number\"\n[data]\nnumber = -2.0\n"
                                       "[train]\nepochs = 10\nlearning_rate = 0.1\n"));
  EXPECT_EQ(recipe->task(), "number");
  std::int64_t checks = 0;
  EXPECT_FALSE(
      train::TrainingRun(*recipe, folder_ / "run").train({}, [&] { return ++checks > 70; }));
  train::TrainingRun rest(*recipe, folder_ / "run", {.resume = true});
  ASSERT_TRUE(rest.train({}));
  EXPECT_LT(rest.finish().result.best_validation, 1e-3);
  const auto& kind = tasks::task_of_model(folder_ / "run/model");
  EXPECT_EQ(kind.name, "number");
  EXPECT_NEAR(std::stod(kind.inspect(folder_ / "run/model")), -2, 0.05);
  EXPECT_MENTIONS(testing::error_of([] { tasks::task_named("numbr"); }), "did you mean 'number'");
}

TEST_F(Extensions, ATakenNameIsRefused) {
  EXPECT_MENTIONS(testing::error_of([] { classification::register_reader({.name = "csv"}); }),
                  "'csv' is already a ");
  EXPECT_MENTIONS(
      testing::error_of([] { nn::register_mixer<model::NoMixerFields>("softmax", nullptr); }),
      "'softmax' is already a ");
  EXPECT_MENTIONS(testing::error_of([] { metrics::register_class_metric({.name = "accuracy"}); }),
                  "'accuracy' is already a ");
  EXPECT_MENTIONS(testing::error_of([] { tasks::register_task({.name = "summarization"}); }),
                  "'summarization' is already a ");
}

}  // namespace
}  // namespace fastformer

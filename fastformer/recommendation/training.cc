#include "fastformer/recommendation/training.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "fastformer/kernels/parallel.h"
#include "fastformer/metrics/ranking.h"
#include "fastformer/nn/bert/bert_weights.h"
#include "fastformer/nn/torch_errors.h"
#include "fastformer/recommendation/dataset.h"
#include "fastformer/recommendation/recommender_model.h"
#include "fastformer/recommendation/recommender_task.h"
#include "fastformer/text/bert_tokenizer.h"
#include "fastformer/train/starting_model.h"
#include "fastformer/train/task.h"
#include "fastformer/train/trainer.h"
#include "fastformer/train/training_run.h"

namespace fastformer::recommendation {
namespace {

// What the recipe's train.from names; nothing without it.
std::optional<train::StartingModel> start_of(const Recipe& recipe) {
  if (recipe.train.from.empty()) return std::nullopt;
  const std::filesystem::path directory = recipe.train.from;
  const auto content = RecommenderContent::load(directory);
  const auto shape_of = [](const ModelConfig& config, const text::TokenizerConfig& text) {
    auto tree = train::shape_of(config, text);
    if (config.has_pretrained()) tree.write_section("pretrained", config.bert);
    return tree;
  };
  return train::StartingModel(
      directory, shape_of(content.model->config(), text::tokenizer_config(directory)),
      shape_of(recipe.model, recipe.text),
      {"model.negatives", "model.pretrained", "model.trainable_layers", "model.pretrained_factor",
       "model.items.members", "model.items.most"});
}

// The members are weighted on the validation part, and fitted to it.
void check_members(const Recipe& recipe) {
  if (recipe.model.items.members.empty()) return;
  const auto& data = recipe.data;
  if (data.validation.empty() && data.validation_fraction == 0) {
    throw std::invalid_argument(
        "model.items.members needs a validation part, on which the members are weighted; set "
        "data.validation or data.validation_fraction");
  }
  for (const auto& file : data.validation) {
    if (std::find(data.test.begin(), data.test.end(), file) == data.test.end()) continue;
    throw std::invalid_argument(file +
                                ": is in data.validation and data.test, but model.items.members "
                                "are fitted to the validation part; give different files");
  }
}

}  // namespace

Recipe::Recipe() { train.metric = measures().validation.front(); }

void Recipe::visit_train_fields(base::FieldVisitor& visit) {
  train.visit_fields(visit, measures());
  visit("batch_size", batch_size, "clicks per batch", base::between(1, 1'000'000));
}

Recipe Recipe::read(const base::ConfigTree& tree) {
  Recipe recipe;
  tree.check_sections({"task", "data", "model", "text", "train"});
  train::TrainSection<Recipe> section{recipe};
  tree.read_section("train", section);
  recipe.resolve_metric();
  tree.read_section("data", recipe.data);
  recipe.model = ModelConfig::read(tree);
  check_members(recipe);
  if (recipe.model.has_pretrained()) {
    recipe.text = text::read_bert_text(tree, recipe.model.pretrained);
  } else {
    tree.read_section("text", recipe.text);
  }
  if (recipe.model.has_pretrained() && !recipe.train.word_vectors.empty()) {
    throw std::invalid_argument(
        std::string(
            "train.word_vectors is for models with trained word embeddings; remove it with ") +
        base::word_of(recipe.model.model));
  }
  recipe.data.title_tokens = recipe.model.title_limit(recipe.data.title_tokens);
  return recipe;
}

Recipe Recipe::load(const std::filesystem::path& file,
                    const std::vector<std::string>& assignments) {
  return read(base::ConfigTree::from_toml(file, assignments));
}

std::string Recipe::task() const { return "recommendation"; }

train::Measures Recipe::measures() const {
  std::vector<std::string> names;
  for (const auto& metric : metrics::ranking_metrics()) names.push_back(metric.name);
  return train::Measures::of(names, "impressions");
}

base::ConfigTree Recipe::tree() const {
  Recipe copy = *this;
  base::ConfigTree tree;
  tree.set("task", "name", {task(), "resolved"});
  tree.write_section("data", data);
  tree.write_section("model", model);
  tree.write_section("text", text);
  tree.write_section("train", train::TrainSection<Recipe>{copy});
  return tree;
}

std::vector<train::RecipeSource> Recipe::sources() const {
  std::vector<train::RecipeSource> sources;
  for (const auto& file : data.train) sources.push_back({"data.train", file});
  for (const auto& file : data.validation) sources.push_back({"data.validation", file});
  for (const auto& file : data.test) sources.push_back({"data.test", file});
  for (const auto& file : data.news) sources.push_back({"data.news", file});
  if (model.has_pretrained()) {
    sources.push_back({"model.pretrained", nn::bert_weights_file(model.pretrained)});
  }
  add_shared_sources(sources);
  return sources;
}

bool Recipe::has_test_part() const { return !data.test.empty() || data.test_fraction > 0; }

std::unique_ptr<train::Task> Recipe::open(const std::filesystem::path& /*cache*/,
                                          const data::Notice& /*notice*/) const {
  auto start = start_of(*this);
  return std::make_unique<RecommenderTask>(*this, prepare(data, text, this->train.from),
                                           std::move(start));
}

void Recipe::check_model() const {
  constexpr std::int64_t kVocabulary = 8;
  auto config = model;
  config.bert.vocabulary_size = kVocabulary;
  RecommenderModel(config, kVocabulary, nn::ParameterStore::without_values());
}

nn::ParameterMap Recipe::largest_model() const {
  const auto tokens = model.has_pretrained() ? model.bert.vocabulary_size : text.vocabulary_size;
  return RecommenderModel(model, tokens, nn::ParameterStore::without_values()).parameters();
}

Recommender train(const Recipe& recipe, const std::filesystem::path& folder,
                  train::Observer* observer) {
  return nn::without_torch_errors(
      [&] { return Recommender::load(train::train_in(recipe, folder, observer)); });
}

Recommender train(std::span<const Item> items, std::span<const ImpressionExample> impressions,
                  const Recipe& recipe, train::Observer* observer) {
  check_members(recipe);
  return nn::without_torch_errors([&] {
    const kernels::ComputeScope scope(recipe.train.precision, recipe.train.threads);
    auto start = start_of(recipe);
    RecommenderTask task(recipe,
                         prepare(clicks_of(items, impressions, recipe.data), recipe.data,
                                 recipe.text, recipe.train.from),
                         std::move(start));
    train::Trainer trainer(recipe.train, task, {.observers = train::observer_list(observer)});
    trainer.run();
    return Recommender(std::move(task).take_content());
  });
}

}  // namespace fastformer::recommendation

#include "fastformer/classification/training.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "fastformer/classification/classifier_task.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/classification/start.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/metrics/label_sets.h"
#include "fastformer/nn/bert/bert_weights.h"
#include "fastformer/nn/torch_errors.h"
#include "fastformer/text/bert_tokenizer.h"
#include "fastformer/train/trainer.h"
#include "fastformer/train/training_run.h"

namespace fastformer::classification {

namespace {

// What is for a model with an embedding of its own.
void check_pretrained(const Recipe& recipe) {
  const auto refuse = [](const char* field) {
    throw std::invalid_argument(std::string(field) +
                                " is for a model with an embedding of its own; remove it with "
                                "model.pretrained");
  };
  if (!recipe.train.word_vectors.empty()) refuse("train.word_vectors");
  if (recipe.loss.adversarial > 0) refuse("train.adversarial");
}

}  // namespace

void Recipe::visit_train_fields(base::FieldVisitor& visit) {
  train.visit_fields(visit, measures());
  batch.visit_fields(visit);
  loss.visit_fields(visit);
  distillation.visit_fields(visit);
  visit("refit", refit,
        "after the choice of the best model, train a new one on the training and the validation "
        "part, "
        "for as many steps");
}

Recipe Recipe::read(const base::ConfigTree& tree) {
  Recipe recipe;
  tree.check_sections({"task", "data", "model", "text", "linear", "train"});
  tree.read_section("linear", recipe.linear);
  tree.read_section("data", recipe.data);
  train::TrainSection<Recipe> section{recipe};
  tree.read_section("train", section);
  recipe.resolve_metric();
  recipe.model = model::ClassifierConfig::read(tree);
  if (recipe.model.pretrained) {
    recipe.text = text::read_bert_text(tree, recipe.model.pretrained.folder);
    check_pretrained(recipe);
  } else {
    tree.read_section("text", recipe.text);
  }
  if (!recipe.data.unlabelled.empty() && !recipe.distillation) {
    throw std::invalid_argument(
        "data.unlabelled needs a model that says what is right: set train.teacher, or remove it");
  }
  // Documents longer than the positions are truncated and counted.
  recipe.data.max_tokens = recipe.model.text.token_limit(recipe.data.max_tokens);
  return recipe;
}

Recipe Recipe::load(const std::filesystem::path& file,
                    const std::vector<std::string>& assignments) {
  return read(base::ConfigTree::from_toml(file, assignments));
}

std::string Recipe::task() const { return "classification"; }

train::Measures Recipe::measures() const {
  std::vector<std::string> names;
  if (data.several_labels()) {
    for (const auto& metric : metrics::label_set_metrics()) names.push_back(metric.name);
  } else {
    for (const auto& metric : metrics::class_metrics()) names.push_back(metric.name);
  }
  return train::Measures::of(names, "documents");
}

base::ConfigTree Recipe::tree() const {
  Recipe copy = *this;
  base::ConfigTree tree;
  tree.set("task", "name", {task(), "resolved"});
  tree.write_section("data", data);
  tree.write_section("model", model);
  tree.write_section("text", text);
  tree.write_section("linear", linear);
  tree.write_section("train", train::TrainSection<Recipe>{copy});
  return tree;
}

std::vector<train::RecipeSource> Recipe::sources() const {
  std::vector<train::RecipeSource> sources;
  for (const auto& file : data.train) sources.push_back({"data.train", file});
  for (const auto& file : data.validation) sources.push_back({"data.validation", file});
  for (const auto& file : data.test) sources.push_back({"data.test", file});
  for (const auto& file : data.unlabelled) sources.push_back({"data.unlabelled", file});
  for (const auto& file : distillation.teachers) sources.push_back({"train.teacher", file});
  if (model.pretrained) {
    sources.push_back({"model.pretrained", nn::bert_weights_file(model.pretrained.folder)});
  }
  add_shared_sources(sources);
  return sources;
}

bool Recipe::has_test_part() const { return !data.test.empty() || data.test_fraction > 0; }

std::unique_ptr<train::Task> Recipe::open(const std::filesystem::path& cache,
                                          const data::Notice& notice) const {
  auto start = start_of(*this);
  auto dataset = prepare(data, text, linear, cache, notice, point_of(start));
  return std::make_unique<ClassifierTask>(
      *this, std::move(dataset), std::move(start),
      ClassifierTask::Sources{.cache = cache, .notice = notice, .examples = {}});
}

void Recipe::check_model() const {
  constexpr std::int64_t kVocabulary = 8;
  auto config = model;
  config.text.bigram_buckets = std::min<std::int64_t>(config.text.bigram_buckets, 1);
  config.pretrained.bert.vocabulary_size = kVocabulary;
  ClassifierModel(config, kVocabulary, /*classes=*/2, nn::ParameterStore::without_values());
}

nn::ParameterMap Recipe::largest_model() const {
  const auto tokens =
      model.pretrained ? model.pretrained.bert.vocabulary_size : text.vocabulary_size;
  return ClassifierModel(model, tokens, /*classes=*/2, nn::ParameterStore::without_values())
      .parameters();
}

Classifier train(const Recipe& recipe, const std::filesystem::path& folder,
                 train::Observer* observer) {
  Recipe resolved = recipe;
  resolved.resolve_metric();
  return nn::without_torch_errors(
      [&] { return Classifier::load(train::train_in(resolved, folder, observer)); });
}

Classifier train(std::span<const Example> examples, const Recipe& recipe,
                 train::Observer* observer) {
  Recipe resolved = recipe;
  resolved.resolve_metric();
  if (!recipe.data.unlabelled.empty()) {
    throw std::invalid_argument(
        "data.unlabelled is for training on files; remove it for examples in memory");
  }
  return nn::without_torch_errors([&] {
    const kernels::ComputeScope scope(resolved.train.precision, resolved.train.threads);
    auto start = start_of(resolved);
    auto dataset =
        prepare(examples, resolved.data, resolved.text, resolved.linear, point_of(start));
    ClassifierTask task(resolved, std::move(dataset), std::move(start), {.examples = examples});
    train::Trainer trainer(resolved.train, task, {.observers = train::observer_list(observer)});
    trainer.run();
    return Classifier(std::move(task).take_content());
  });
}

}  // namespace fastformer::classification

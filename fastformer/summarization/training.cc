#include "fastformer/summarization/training.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "fastformer/kernels/parallel.h"
#include "fastformer/nn/torch_errors.h"
#include "fastformer/summarization/abstractive/abstractive_task.h"
#include "fastformer/summarization/dataset.h"
#include "fastformer/summarization/extractive/extractive_task.h"
#include "fastformer/train/task.h"
#include "fastformer/train/trainer.h"
#include "fastformer/train/training_run.h"

namespace fastformer::summarization {
namespace {

// The texts of the validation part in files.
TextsOf texts_in_files(const DataConfig& config) {
  return [config](const PairCorpus& validation) {
    return read_texts(config, config.validation.empty() ? config.train : config.validation,
                      validation);
  };
}

// The same of pairs in memory.
TextsOf texts_in_memory(std::span<const TextPair> pairs) {
  return [pairs](const PairCorpus& validation) {
    std::vector<TextPair> texts;
    for (std::int64_t row = 0; row < validation.size(); ++row) {
      texts.push_back(pairs[static_cast<std::size_t>(validation.source.record(row))]);
    }
    return texts;
  };
}

void check_kind(const Recipe& recipe, SummaryKind kind, const char* function) {
  if (recipe.model.kind == kind) return;
  throw std::invalid_argument(std::string("model.kind is ") + base::word_of(recipe.model.kind) +
                              "; use " + function);
}

void run_trainer(const Recipe& recipe, train::Task& task, train::Observer* observer) {
  train::Trainer trainer(recipe.train, task, {.observers = train::observer_list(observer)});
  trainer.run();
}

}  // namespace

Recipe::Recipe() { train.metric = measures().validation.front(); }

void Recipe::visit_train_fields(base::FieldVisitor& visit) {
  train.visit_fields(visit, measures());
  batch.visit_fields(visit);
  visit("label_smoothing", label_smoothing,
        "abstractive: share of the target distributed over the vocabulary", base::between(0, 0.99));
  visit(
      "soft_targets", soft_targets,
      "extractive: share of the target that follows from each sentence's own ROUGE instead of the "
      "choice of the greedy oracle",
      base::between(0, 1));
}

Recipe Recipe::read(const base::ConfigTree& tree) {
  Recipe recipe;
  recipe.model = ModelConfig::read(tree);
  const bool extractive = recipe.model.kind == SummaryKind::kExtractive;
  tree.check_sections(
      {"task", "data", "model", extractive ? "selection" : "search", "text", "train"});
  recipe.train.metric = recipe.measures().validation.front();
  if (extractive) recipe.data.max_source_tokens = 0;
  tree.read_section("text", recipe.text);
  train::TrainSection<Recipe> section{recipe};
  tree.read_section("train", section);
  recipe.resolve_metric();
  tree.read_section("data", recipe.data);
  tree.read_section("search", recipe.search);
  recipe.selection.override_by(tree);
  if (extractive ? recipe.label_smoothing > 0 : recipe.soft_targets > 0) {
    throw std::invalid_argument(
        extractive ? "train.label_smoothing is for model.kind = \"abstractive\"; remove it"
                   : "train.soft_targets is for model.kind = \"extractive\"; remove it");
  }
  auto& data = recipe.data;
  data.max_source_tokens = recipe.model.source.token_limit(data.max_source_tokens);
  data.max_target_tokens = recipe.model.summary_limit(data.max_target_tokens);
  return recipe;
}

Recipe Recipe::load(const std::filesystem::path& file,
                    const std::vector<std::string>& assignments) {
  return read(base::ConfigTree::from_toml(file, assignments));
}

std::string Recipe::task() const { return "summarization"; }

train::Measures Recipe::measures() const {
  std::vector<std::string> validation = {"rouge", "rouge_1", "rouge_2", "rouge_l", "rouge_lsum"};
  // ROUGE of summaries that are written takes long, so it is not the default.
  const bool extractive = model.kind == SummaryKind::kExtractive;
  validation.insert(extractive ? validation.end() : validation.begin(), "loss");
  return {.validation = validation,
          .test = {"rouge_1", "rouge_2", "rouge_l", "rouge_lsum", "loss"},
          .main = {"rouge_1", "rouge_2", "rouge_l"},
          .items = "documents"};
}

base::ConfigTree Recipe::tree() const {
  Recipe copy = *this;
  base::ConfigTree tree;
  tree.set("task", "name", {task(), "resolved"});
  tree.write_section("data", data);
  tree.write_section("model", model);
  if (model.kind == SummaryKind::kExtractive) {
    tree.write_section("selection", selection);
  } else {
    tree.write_section("search", search);
  }
  tree.write_section("text", text);
  tree.write_section("train", train::TrainSection<Recipe>{copy});
  return tree;
}

std::vector<train::RecipeSource> Recipe::sources() const {
  std::vector<train::RecipeSource> sources;
  const auto add = [&](const char* field, const std::vector<std::string>& entries) {
    for (const auto& entry : entries) {
      for (const auto& file : pair_sources(data, entry)) sources.push_back({field, file});
    }
  };
  add("data.train", data.train);
  add("data.validation", data.validation);
  add("data.test", data.test);
  add_shared_sources(sources);
  return sources;
}

std::unique_ptr<train::Task> Recipe::open(const std::filesystem::path& cache,
                                          const data::Notice& notice) const {
  if (model.kind == SummaryKind::kExtractive) {
    auto start = starting_model<ExtractiveContent>(*this);
    auto dataset = prepare(data, text, cache, notice, this->train.from, sentence_pairs());
    return std::make_unique<ExtractiveTask>(*this, std::move(dataset), std::move(start),
                                            texts_in_files(data));
  }
  auto start = starting_model<SummarizerContent>(*this);
  auto dataset = prepare(data, text, cache, notice, this->train.from);
  return std::make_unique<AbstractiveTask>(*this, std::move(dataset), std::move(start),
                                           texts_in_files(data));
}

void Recipe::check_model() const {
  auto config = model;
  config.source.bigram_buckets = std::min<std::int64_t>(config.source.bigram_buckets, 1);
  auto store = nn::ParameterStore::without_values();
  if (model.kind == SummaryKind::kExtractive) {
    ExtractiveModel(config, /*vocabulary_size=*/8, std::move(store));
  } else {
    SummarizerModel(config, {.size = 8, .begin = 0, .end = 1}, std::move(store));
  }
}

nn::ParameterMap Recipe::largest_model() const {
  auto store = nn::ParameterStore::without_values();
  if (model.kind == SummaryKind::kExtractive) {
    return ExtractiveModel(model, text.vocabulary_size, std::move(store)).parameters();
  }
  return SummarizerModel(model, {text.vocabulary_size + 2, 0, 1}, std::move(store)).parameters();
}

Summarizer train(const Recipe& recipe, const std::filesystem::path& folder,
                 train::Observer* observer) {
  check_kind(recipe, SummaryKind::kAbstractive, "train_extractive()");
  return nn::without_torch_errors(
      [&] { return Summarizer::load(train::train_in(recipe, folder, observer)); });
}

Summarizer train(std::span<const TextPair> pairs, const Recipe& recipe, train::Observer* observer) {
  check_kind(recipe, SummaryKind::kAbstractive, "train_extractive()");
  return nn::without_torch_errors([&] {
    const kernels::ComputeScope scope(recipe.train.precision, recipe.train.threads);
    auto start = starting_model<SummarizerContent>(recipe);
    AbstractiveTask task(recipe, prepare(pairs, recipe.data, recipe.text, recipe.train.from),
                         std::move(start), texts_in_memory(pairs));
    run_trainer(recipe, task, observer);
    return Summarizer(std::move(task).take_content());
  });
}

ExtractiveSummarizer train_extractive(const Recipe& recipe, const std::filesystem::path& folder,
                                      train::Observer* observer) {
  check_kind(recipe, SummaryKind::kExtractive, "train()");
  return nn::without_torch_errors(
      [&] { return ExtractiveSummarizer::load(train::train_in(recipe, folder, observer)); });
}

ExtractiveSummarizer train_extractive(std::span<const TextPair> pairs, const Recipe& recipe,
                                      train::Observer* observer) {
  check_kind(recipe, SummaryKind::kExtractive, "train()");
  return nn::without_torch_errors([&] {
    const kernels::ComputeScope scope(recipe.train.precision, recipe.train.threads);
    auto start = starting_model<ExtractiveContent>(recipe);
    ExtractiveTask task(
        recipe, prepare(pairs, recipe.data, recipe.text, recipe.train.from, sentence_pairs()),
        std::move(start), texts_in_memory(pairs));
    run_trainer(recipe, task, observer);
    return ExtractiveSummarizer(std::move(task).take_content());
  });
}

}  // namespace fastformer::summarization

#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fastformer/data/batch_plan.h"
#include "fastformer/summarization/abstractive/search_config.h"
#include "fastformer/summarization/data_config.h"
#include "fastformer/summarization/extractive/extractive_summarizer.h"
#include "fastformer/summarization/extractive/selection_config.h"
#include "fastformer/summarization/model_config.h"
#include "fastformer/summarization/readers/reader.h"
#include "fastformer/summarization/summarizer.h"
#include "fastformer/train/observer.h"
#include "fastformer/train/recipe.h"

namespace fastformer::summarization {

/// The recipe of a summarizer of either kind: the sections task, data, model, text and train, and
/// search of an abstractive or selection of an extractive one.
///
///   auto recipe = summarization::Recipe::load("recipes/cnn_dailymail.toml", {"train.epochs=2"});
class Recipe final : public train::Recipe {
 public:
  DataConfig data;
  ModelConfig model;
  SearchConfig search;
  SelectionConfig selection;
  data::BatchConfig batch;
  double label_smoothing = 0;
  double soft_targets = 0;

  /// A recipe with the default of every field.
  Recipe();
  /// Throws std::invalid_argument naming file, line and the nearest valid key.
  static Recipe read(const base::ConfigTree& tree);
  /// Reads a TOML file and then `assignments` ("section.key=value").
  static Recipe load(const std::filesystem::path& file,
                     const std::vector<std::string>& assignments = {});

  std::string task() const override;
  train::Measures measures() const override;
  base::ConfigTree tree() const override;
  std::string cache() const override { return data.cache; }
  std::vector<train::RecipeSource> sources() const override;
  bool has_test_part() const override { return !data.test.empty(); }
  std::unique_ptr<train::Task> open(const std::filesystem::path& cache,
                                    const data::Notice& notice) const override;
  void check_model() const override;
  nn::ParameterMap largest_model() const override;

  /// The fields of [train].
  void visit_train_fields(base::FieldVisitor& visit);
};

/// Trains an abstractive summarizer as the recipe says in the run directory `folder`, and writes
/// the model and all other files of `fastformer train` to it. `observer` may be null. Throws
/// std::invalid_argument with one sentence for bad data, if the folder already contains a run, and
/// for an extractive model.
Summarizer train(const Recipe& recipe, const std::filesystem::path& folder,
                 train::Observer* observer = nullptr);
/// The same on pairs in memory; writes no file.
Summarizer train(std::span<const TextPair> pairs, const Recipe& recipe,
                 train::Observer* observer = nullptr);

/// The same for an extractive summarizer. Throws std::invalid_argument for an abstractive model.
ExtractiveSummarizer train_extractive(const Recipe& recipe, const std::filesystem::path& folder,
                                      train::Observer* observer = nullptr);
ExtractiveSummarizer train_extractive(std::span<const TextPair> pairs, const Recipe& recipe,
                                      train::Observer* observer = nullptr);

}  // namespace fastformer::summarization

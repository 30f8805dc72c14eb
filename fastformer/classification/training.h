#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fastformer/classification/classifier.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/classification/data_config.h"
#include "fastformer/classification/distillation.h"
#include "fastformer/classification/loss.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/data/batch_plan.h"
#include "fastformer/linear/linear_config.h"
#include "fastformer/train/observer.h"
#include "fastformer/train/recipe.h"

namespace fastformer::classification {

/// The recipe of a classifier: the sections task, data, model, text, linear and train.
///
///   auto recipe = classification::Recipe::load("recipes/ag_news.toml", {"train.epochs=2"});
class Recipe final : public train::Recipe {
 public:
  DataConfig data;
  model::ClassifierConfig model;
  data::BatchConfig batch;
  LossConfig loss;
  DistillationConfig distillation;
  linear::LinearConfig linear;
  bool refit = false;

  /// Throws std::invalid_argument naming file, line and nearest valid key.
  static Recipe read(const base::ConfigTree& tree);
  using train::Recipe::resolve_metric;
  /// Reads a TOML file and then `assignments` ("section.key=value").
  static Recipe load(const std::filesystem::path& file,
                     const std::vector<std::string>& assignments = {});

  std::string task() const override;
  train::Measures measures() const override;
  base::ConfigTree tree() const override;
  std::string cache() const override { return data.cache; }
  std::vector<train::RecipeSource> sources() const override;
  bool has_test_part() const override;
  std::unique_ptr<train::Task> open(const std::filesystem::path& cache,
                                    const data::Notice& notice) const override;
  void check_model() const override;
  nn::ParameterMap largest_model() const override;

  /// The fields of [train].
  void visit_train_fields(base::FieldVisitor& visit);
};

/// Trains as the recipe says in the run directory `folder`, and writes the model and all other
/// files of `fastformer train` to it. `observer` may be null. Throws std::invalid_argument with one
/// sentence for bad data and if the folder already contains a run.
Classifier train(const Recipe& recipe, const std::filesystem::path& folder,
                 train::Observer* observer = nullptr);

/// Trains on examples in memory and writes no file. If recipe.data.validation_fraction is above 0,
/// that fraction of the examples selects the best weights; with recipe.refit, the model then learns
/// from it as well.
///
///   const std::vector<classification::Example> examples = {{"great chair", "pos"}, ...};
///   const auto classifier = classification::train(examples, recipe);
///
/// With recipe.data.multi_label the examples have lists of labels:
///   {{.text = "great chair", .labels = {"pos", "furniture"}}, ...}
Classifier train(std::span<const Example> examples, const Recipe& recipe,
                 train::Observer* observer = nullptr);

}  // namespace fastformer::classification

#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fastformer/recommendation/data_config.h"
#include "fastformer/recommendation/model_config.h"
#include "fastformer/recommendation/readers/reader.h"
#include "fastformer/recommendation/recommender.h"
#include "fastformer/train/observer.h"
#include "fastformer/train/recipe.h"

namespace fastformer::recommendation {

/// The recipe of a recommender: the sections task, data, model, text and train.
///
///   auto recipe = recommendation::Recipe::load("recipes/mind.toml", {"train.epochs=2"});
class Recipe final : public train::Recipe {
 public:
  DataConfig data;
  ModelConfig model = model_preset(ModelKind::kFastformer);
  std::int64_t batch_size = 64;  ///< clicks per batch

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
Recommender train(const Recipe& recipe, const std::filesystem::path& folder,
                  train::Observer* observer = nullptr);

/// Trains on items and impressions in memory and writes no file.
Recommender train(std::span<const Item> items, std::span<const ImpressionExample> impressions,
                  const Recipe& recipe, train::Observer* observer = nullptr);

}  // namespace fastformer::recommendation

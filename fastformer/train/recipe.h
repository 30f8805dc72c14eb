#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/data/cache.h"
#include "fastformer/nn/parameter_store.h"
#include "fastformer/text/tokenizer.h"
#include "fastformer/train/train_config.h"

namespace fastformer::train {

class Task;

/// A file or folder that a training reads, and the field that names it.
struct RecipeSource {
  std::string field;  ///< "data.train"
  std::filesystem::path path;
};

/// Everything that decides a training run. Each task has its own sections [data] and [model] and
/// may have more; [text] and [train] are shared.
class Recipe {
 public:
  virtual ~Recipe() = default;

  text::TokenizerConfig text;
  TrainConfig train;

  /// The name of the task, a row of the table of tasks.
  virtual std::string task() const = 0;
  virtual Measures measures() const = 0;
  /// All sections with every field; reading them gives the same recipe.
  virtual base::ConfigTree tree() const = 0;

  /// The folder that the recipe names for prepared data; empty: none.
  virtual std::string cache() const { return {}; }
  /// What the training reads, as far as the recipe names it.
  virtual std::vector<RecipeSource> sources() const = 0;
  /// Whether there is something to measure the finished model on.
  virtual bool has_test_part() const = 0;

  /// The task with its data prepared. `cache` takes the tokens where the recipe names no other
  /// folder; `notice` may be empty. Throws std::invalid_argument as the readers of the data do.
  virtual std::unique_ptr<Task> open(const std::filesystem::path& cache,
                                     const data::Notice& notice) const = 0;
  /// Builds a model with the smallest tables: what its layers refuse does not depend on them.
  /// Throws std::invalid_argument or c10::Error.
  virtual void check_model() const = 0;
  /// The parameters of a model with the largest vocabulary that the recipe allows.
  virtual nn::ParameterMap largest_model() const = 0;

 protected:
  /// What every recipe does after it has read its sections: train.metric = "auto" becomes the
  /// task's first metric.
  void resolve_metric();
  /// text.model_file and train.word_vectors.
  void add_shared_sources(std::vector<RecipeSource>& sources) const;
};

/// The section [train] of a recipe, for ConfigTree: the fields that R::visit_train_fields() visits.
template <class R>
struct TrainSection {
  R& recipe;

  void visit_fields(base::FieldVisitor& visit) { recipe.visit_train_fields(visit); }
  void validate() const { recipe.train.validate(); }
};

/// The first line in which two recipes differ; an empty text where one has no more lines.
struct RecipeDifference {
  std::string now, before;
};

/// Of Recipe::tree().to_toml(); nothing when they are equal.
std::optional<RecipeDifference> first_difference(const std::string& now, const std::string& before);

}  // namespace fastformer::train

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

/// An input file or folder of a training run, and the recipe field that names it.
struct RecipeSource {
  std::string field;  ///< "data.train"
  std::filesystem::path path;
};

/// All settings of a training run. Each task has its own sections [data] and [model] and may have
/// more; [text] and [train] are shared.
class Recipe {
 public:
  virtual ~Recipe() = default;

  text::TokenizerConfig text;
  TrainConfig train;

  /// The name of the task: a row of the table of tasks.
  virtual std::string task() const = 0;
  virtual Measures measures() const = 0;
  /// All sections with every field. Reading the tree gives an equal recipe.
  virtual base::ConfigTree tree() const = 0;

  /// The folder for prepared data that the recipe names; empty: none.
  virtual std::string cache() const { return {}; }
  /// The input files and folders that the recipe names.
  virtual std::vector<RecipeSource> sources() const = 0;
  /// Whether the data has a test part.
  virtual bool has_test_part() const = 0;

  /// Prepares the data and returns the task. `cache` is the folder for prepared data if the recipe
  /// names none; `notice` may be empty. Throws std::invalid_argument as the readers of the data do.
  virtual std::unique_ptr<Task> open(const std::filesystem::path& cache,
                                     const data::Notice& notice) const = 0;
  /// Builds a model with tables of the smallest size, on which the layers do not depend, to check
  /// the layers. Throws std::invalid_argument or c10::Error for an impossible configuration.
  virtual void check_model() const = 0;
  /// The parameters of a model with the largest vocabulary that the recipe allows.
  virtual nn::ParameterMap largest_model() const = 0;

 protected:
  /// Replaces train.metric = "auto" with the first metric of the task. Must be called after the
  /// sections are read.
  void resolve_metric();
  /// Appends text.model_file, train.word_vectors and train.from, if they are set.
  void add_shared_sources(std::vector<RecipeSource>& sources) const;
};

/// The section [train] of a recipe for ConfigTree: the fields that R::visit_train_fields() visits.
template <class R>
struct TrainSection {
  R& recipe;

  void visit_fields(base::FieldVisitor& visit) { recipe.visit_train_fields(visit); }
  void validate() const { recipe.train.validate(); }
};

/// The first line in which two recipes differ; a text is empty if that recipe has no more lines.
struct RecipeDifference {
  std::string now, before;
};

/// Compares texts of Recipe::tree().to_toml(); nullopt if they are equal.
std::optional<RecipeDifference> first_difference(const std::string& now, const std::string& before);

}  // namespace fastformer::train

#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/base/model_service.h"
#include "fastformer/kernels/options.h"
#include "fastformer/nn/parameter_store.h"
#include "fastformer/train/recipe.h"

namespace fastformer::train {

/// The arguments of `fastformer evaluate`.
struct EvaluationRequest {
  std::filesystem::path model;
  std::vector<std::string> data;                ///< files; empty: a recommender's test part
  std::vector<std::string> set;                 ///< "section.key=value"
  std::vector<std::filesystem::path> ensemble;  ///< models to combine with `model`
  std::filesystem::path predictions;            ///< file to write predictions to
  std::filesystem::path errors;                 ///< file to write misclassified rows to
  Options options;
};

struct EvaluationReport {
  std::string table;  ///< a text table; empty: nothing could be measured
  std::string json;
};

/// The arguments of `fastformer serve` for one model.
struct ServiceRequest {
  std::filesystem::path model;
  std::filesystem::path items;  ///< of a recommender; empty: none
  bool approximate = false;     ///< whether it compares users with the items near them only
  Options options;
};

/// Receives sentences for the user.
using NoticeSink = std::function<void(const std::string&)>;

/// A section of a recipe and its fields.
struct RecipeSection {
  std::string name;
  std::function<void(base::FieldVisitor&)> visit;
};

/// A task, as the program uses it: one row of the table in tasks/task_table.h. All code that
/// depends on the task is behind these functions.
struct TaskKind {
  std::string name;                   ///< "classification"
  std::vector<std::string> models;    ///< kind_of_model() of its models: "classifier"
  std::vector<std::string> commands;  ///< commands for its models, besides train and evaluate

  /// Reads a recipe. Throws std::invalid_argument naming file, line and the nearest valid key.
  std::function<std::unique_ptr<Recipe>(const base::ConfigTree&)> read_recipe;
  /// The task's sections besides [task], with the defaults of their fields.
  std::function<std::vector<RecipeSection>()> sections;
  /// A text that describes a model directory.
  std::function<std::string(const std::filesystem::path& model)> inspect;
  /// Measures a model on labelled data. Throws std::invalid_argument for options that the task does
  /// not use.
  std::function<EvaluationReport(const EvaluationRequest&, const NoticeSink&)> evaluate;
  /// Loads a model for a server. Throws std::invalid_argument with one sentence if it cannot be
  /// loaded, and for items that are missing or not needed.
  std::function<std::shared_ptr<const base::ModelService>(const ServiceRequest&)> serve;
  /// Writes the parts of the recipe's data set to files; null if not supported.
  std::function<void(const Recipe&, const std::filesystem::path& folder)> export_parts;
};

/// A text table of parameter names and shapes, their number, and the multiply-adds per token.
std::string parameter_table(const nn::ParameterMap& parameters);

}  // namespace fastformer::train

#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/kernels/options.h"
#include "fastformer/nn/parameter_store.h"
#include "fastformer/train/recipe.h"

namespace fastformer::train {

/// The arguments of `fastformer evaluate`.
struct EvaluationRequest {
  std::filesystem::path model;
  std::vector<std::string> data;                ///< files or folders; empty: those of the recipe
  std::vector<std::string> set;                 ///< "section.key=value"
  std::vector<std::filesystem::path> ensemble;  ///< more models
  std::filesystem::path predictions;            ///< file to write predictions to
  std::filesystem::path errors;                 ///< file to write misclassified rows to
  Options options;
};

struct EvaluationReport {
  std::string table;  ///< readable; empty: nothing could be measured
  std::string json;
};

/// Receives sentences for the user.
using NoticeSink = std::function<void(const std::string&)>;

/// A section of a recipe and its fields.
struct RecipeSection {
  std::string name;
  std::function<void(base::FieldVisitor&)> visit;
};

/// A task as the program sees it: one row of the table in tasks/task_table.h. All task-dependent
/// code is behind these functions.
struct TaskKind {
  std::string name;   ///< "classification"
  std::string model;  ///< the result of kind_of_model() for its models: "classifier"
  std::vector<std::string> commands;  ///< of the program for its models, besides train and evaluate

  /// Throws std::invalid_argument naming file, line and nearest valid key.
  std::function<std::unique_ptr<Recipe>(const base::ConfigTree&)> read_recipe;
  /// The task's sections besides [task], with the defaults of their fields.
  std::function<std::vector<RecipeSection>()> sections;
  /// A readable description of a model directory.
  std::function<std::string(const std::filesystem::path& model)> inspect;
  /// Measures a model on labelled data. Throws std::invalid_argument for options that the task does
  /// not use.
  std::function<EvaluationReport(const EvaluationRequest&, const NoticeSink&)> evaluate;
  /// Writes the parts of the recipe's data set; null if not supported.
  std::function<void(const Recipe&, const std::filesystem::path& folder)> export_parts;
};

/// Readable names and shapes of parameters, their number, and the multiply-adds per token.
std::string parameter_table(const nn::ParameterMap& parameters);

}  // namespace fastformer::train

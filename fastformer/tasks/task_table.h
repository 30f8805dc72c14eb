#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/train/recipe.h"
#include "fastformer/train/task_kind.h"

namespace fastformer::tasks {

/// Adds the task of another program. Call it before other threads use the library. Throws
/// std::invalid_argument if the name is already in use.
void register_task(train::TaskKind kind);

std::vector<std::string> task_names();
/// Throws std::invalid_argument for an unknown name and suggests the nearest one.
const train::TaskKind& task_named(const std::string& name);
/// The task of a model directory. Throws std::invalid_argument as base::kind_of_model() does, and
/// for a run directory and a kind of model that no task has.
const train::TaskKind& task_of_model(const std::filesystem::path& directory);

/// Reads the recipe of any task; [task] name is "classification" by default. `assignments`
/// ("section.key=value") override the file. Throws std::invalid_argument naming file, line and the
/// nearest valid key.
///
///   const auto recipe = tasks::load_recipe("recipes/ag_news.toml", {"train.epochs=2"});
std::unique_ptr<train::Recipe> load_recipe(const std::filesystem::path& file,
                                           const std::vector<std::string>& assignments = {});
std::unique_ptr<train::Recipe> read_recipe(const base::ConfigTree& tree);
/// The task name in section [task].
std::string task_of_recipe(const base::ConfigTree& tree);

}  // namespace fastformer::tasks

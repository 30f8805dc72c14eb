#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/data/click_data_config.h"
#include "fastformer/data/data_config.h"
#include "fastformer/data/pair_config.h"
#include "fastformer/tasks/model_config.h"
#include "fastformer/tasks/recommender_config.h"
#include "fastformer/tasks/search_config.h"
#include "fastformer/tasks/summarizer_config.h"
#include "fastformer/text/tokenizer_config.h"
#include "fastformer/train/task_config.h"
#include "fastformer/train/train_config.h"

namespace fastformer::train {

/// A file or folder that a training reads, and the field that names it.
struct RecipeSource {
  std::string field;  ///< "data.train"
  std::filesystem::path path;
};

/// Everything that decides a training run: the sections task, data, text, model, train, and for
/// summarization search.
///
///   const auto recipe = Recipe::load("recipes/ag_news.toml", {"train.epochs=2"});
struct Recipe {
  TaskConfig task;
  text::TokenizerConfig text;
  TrainConfig train;

  /// The sections [data] and [model] of the three tasks, of which only that of `task` is read.
  data::DataConfig data;
  tasks::ModelConfig model;
  data::ClickDataConfig clicks;
  tasks::RecommenderConfig recommender;
  data::PairDataConfig pairs;
  tasks::SummarizerConfig summarizer;
  tasks::SearchConfig search;  ///< the section [search] of summarization

  /// Reads a TOML file and then `assignments` ("section.key=value"). Throws std::invalid_argument
  /// naming file, line and nearest valid key.
  static Recipe load(const std::filesystem::path& path,
                     const std::vector<std::string>& assignments = {});
  static Recipe from_tree(const base::ConfigTree& tree);

  /// With every field in it; loading it gives the same recipe.
  base::ConfigTree tree() const;

  /// The folder that [data] names for prepared data; empty: none.
  std::string cache() const;
  /// What the training reads, as far as the recipe names it.
  std::vector<RecipeSource> sources() const;
  /// Whether there is something to measure the finished model on.
  bool has_test_part() const;
};

/// The first line in which two recipes differ; an empty text where one has no more lines.
struct RecipeDifference {
  std::string now, before;
};
/// Of Recipe::tree().to_toml(); nothing when they are equal.
std::optional<RecipeDifference> first_difference(const std::string& now, const std::string& before);

}  // namespace fastformer::train

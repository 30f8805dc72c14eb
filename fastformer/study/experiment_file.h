#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"

namespace fastformer::study {

/// One entry of a `set` table: a recipe's field and the value that replaces it.
struct Override {
  std::string section;  ///< or a table in it: "model.mixer"
  std::string key;
  base::ConfigValue value;
};

/// The paper's figures for a variant on a data set.
struct PaperScores {
  std::vector<double> percents;  ///< in the order of the metrics, without the loss
  std::string where;             ///< "grid.toml:21"
};

/// The content of an experiment file, without its recipes.
///
///   [experiment]
///   name = "mixers"
///   output = "runs/mixers"                # default: runs/<name>
///   seeds = [1, 2, 3]
///   metrics = ["accuracy", "loss"]        # shown in the tables; default: the task's main ones
///   keep_models = true                    # false: no model directories
///   set = { "model.width" = 64 }          # for every cell
///
///   [[data]]
///   name = "reviews"
///   recipe = "recipes/reviews.toml"       # as for `fastformer train`
///   note = "a sentence for the tables"
///   set = { "data.max_tokens" = 512 }
///
///   [[variant]]
///   name = "small"
///   set = { "model.layers" = 1 }
///   on = { "reviews" = { "train.epochs" = 2 } }  # only on this data set
///   grid = { "model.width" = [64, 128] }  # a variant for each combination: "small width 64" ...
///   paper = { "reviews" = [66.1] }        # for each metric except the loss, in percent
struct ExperimentFile {
  struct Data {
    std::string name, recipe, note;
    std::vector<Override> set;
    std::string where;         ///< "grid.toml:9", of its name
    std::string recipe_where;  ///< of its recipe
  };
  struct Variant {
    std::string name;
    std::vector<Override> set;
    std::map<std::string, std::vector<Override>> on;  ///< by the name of the data set
    std::map<std::string, PaperScores> paper;         ///< by the name of the data set
    std::string where;
  };

  std::filesystem::path path;
  std::string where;  ///< of [experiment]
  std::string name;
  std::filesystem::path output;
  std::vector<std::int64_t> seeds;
  std::vector<std::string> metrics;  ///< empty: the task's main metrics
  std::string metrics_where;
  bool keep_models = true;
  std::vector<Override> set;
  std::vector<Data> data;
  std::vector<Variant> variants;

  /// Throws std::invalid_argument with file, line and one sentence for bad syntax, an unknown key,
  /// a wrong type, a missing entry, and names that occur twice or cannot name a folder.
  static ExperimentFile load(const std::filesystem::path& path);
};

}  // namespace fastformer::study

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fastformer/study/experiment_file.h"
#include "fastformer/train/recipe.h"

namespace fastformer::study {

/// One training of an experiment: a variant on a data set with a seed.
struct Cell {
  std::size_t data, variant, seed;        ///< positions in the lists of the experiment's file
  std::string name;                       ///< "<data>/<variant>/seed-<n>"
  std::filesystem::path folder;           ///< <output>/<name>, an ordinary run directory
  std::unique_ptr<train::Recipe> recipe;  ///< with all overrides and the seed
};

/// A grid of trainings: every variant on every data set with every seed.
///
///   const auto experiment = Experiment::load("recipes/study/interaction.toml");
///   for (const auto& cell : experiment.cells()) use(*cell.recipe);
///
/// A cell's recipe is the data set's, overridden by the `set` of [experiment], then of the data
/// set, then of the variant, then by what the variant sets `on` that data set, then by the seed.
class Experiment {
 public:
  /// Resolves and checks the recipes of all cells. Throws std::invalid_argument with file, line and
  /// one sentence, as ExperimentFile does, and for a recipe that is missing, recipes of different
  /// tasks, an override that no recipe has, a value that the recipe refuses, a data set without a
  /// test part, a metric that the task does not measure and another number of the paper's figures
  /// than of metrics.
  static Experiment load(const std::filesystem::path& path);

  const ExperimentFile& file() const { return file_; }
  /// That of all recipes.
  std::string task() const { return cells_.front().recipe->task(); }
  train::Measures measures() const { return cells_.front().recipe->measures(); }
  /// What the tables show, in their order.
  const std::vector<std::string>& metrics() const { return metrics_; }
  /// What the paper reports for a variant on a data set; nothing where it does not.
  std::optional<double> paper_percent(std::size_t data, std::size_t variant,
                                      const std::string& metric) const;
  /// All with the first seed, then all with the second: an early look sees the whole grid.
  const std::vector<Cell>& cells() const { return cells_; }
  const Cell& cell(std::size_t data, std::size_t variant, std::size_t seed) const;

  /// The cells whose name contains one of the texts, all of them without any. Throws
  /// std::invalid_argument for a text that no name contains.
  std::vector<const Cell*> select(const std::vector<std::string>& texts) const;

  /// Throws std::invalid_argument when a file that the cells read does not exist, naming the line
  /// of the data set, and when a model cannot be built, naming that of the variant.
  void check_ready(const std::vector<const Cell*>& cells) const;

  /// Where the cells' tokens lie, unless a recipe puts them elsewhere.
  std::filesystem::path cache() const { return file_.output / "cache"; }

 private:
  void add_cells();
  void choose_metrics();
  void check_paper() const;
  void check_sources(const Cell& cell) const;
  void check_buildable(const Cell& cell) const;
  std::unique_ptr<train::Recipe> resolve(const base::ConfigTree& recipe,
                                         const ExperimentFile::Data& data,
                                         const ExperimentFile::Variant& variant) const;

  ExperimentFile file_;
  std::vector<Cell> cells_;
  std::vector<std::string> metrics_;
};

}  // namespace fastformer::study

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
  std::size_t data, variant, seed;        ///< positions in the experiment file
  std::string name;                       ///< "<data>/<variant>/seed-<n>"
  std::filesystem::path folder;           ///< <output>/<name>, an ordinary run directory
  std::unique_ptr<train::Recipe> recipe;  ///< with all overrides and the seed
};

/// A grid of trainings: every variant on every data set with every seed.
///
///   const auto experiment = Experiment::load("recipes/study/interaction.toml");
///   for (const auto& cell : experiment.cells()) use(*cell.recipe);
///
/// A cell's recipe is that of the data set, overridden by the `set` of [experiment], of the data
/// set, of the variant, by the variant's `on` for that data set, and by the seed, in this order.
class Experiment {
 public:
  /// Resolves and checks the recipes of all cells. Throws std::invalid_argument with file, line and
  /// one sentence, as ExperimentFile does, and for a missing recipe, recipes of different tasks, an
  /// unknown field, an invalid value, a data set without a test part, a metric that the task does
  /// not measure, and a number of `paper` figures that differs from the number of metrics.
  static Experiment load(const std::filesystem::path& path);

  const ExperimentFile& file() const { return file_; }
  /// The task of all recipes.
  std::string task() const { return cells_.front().recipe->task(); }
  train::Measures measures() const { return cells_.front().recipe->measures(); }
  /// The metrics of the tables, in their order.
  const std::vector<std::string>& metrics() const { return metrics_; }
  /// The paper's figure for a variant on a data set, if there is one.
  std::optional<double> paper_percent(std::size_t data, std::size_t variant,
                                      const std::string& metric) const;
  /// All cells of the first seed, then of the second, so that early results cover the whole grid.
  const std::vector<Cell>& cells() const { return cells_; }
  const Cell& cell(std::size_t data, std::size_t variant, std::size_t seed) const;

  /// The cells whose name contains one of the texts, all of them without any. Throws
  /// std::invalid_argument for a text that no name contains.
  std::vector<const Cell*> select(const std::vector<std::string>& texts) const;

  /// Throws std::invalid_argument if an input file of the cells does not exist, naming the line of
  /// the data set, and if a model cannot be built, naming the line of the variant.
  void check_ready(const std::vector<const Cell*>& cells) const;

  /// Folder for the cells' tokens, unless a recipe names another.
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

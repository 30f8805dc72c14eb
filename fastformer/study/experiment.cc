#include "fastformer/study/experiment.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/metrics/scores.h"
#include "fastformer/tasks/task_table.h"

namespace fastformer::study {
namespace {

namespace fs = std::filesystem;

base::ConfigTree load_recipe(const ExperimentFile::Data& data) {
  const auto& where = data.recipe_where;
  if (!fs::is_regular_file(data.recipe)) {
    throw std::invalid_argument(where + ": there is no recipe '" + data.recipe +
                                "'; check the path, which is relative to the working directory");
  }
  try {
    return base::ConfigTree::from_toml(data.recipe);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(where + ": the recipe of '" + data.name +
                                "' cannot be used: " + error.what());
  }
}

void check_same_task(const ExperimentFile& file, const std::vector<base::ConfigTree>& recipes) {
  const auto first = tasks::task_of_recipe(recipes.front());
  for (std::size_t d = 1; d < recipes.size(); ++d) {
    const auto task = tasks::task_of_recipe(recipes[d]);
    if (task == first) continue;
    throw std::invalid_argument(
        file.data[d].where + base::format(": the recipe of '%s' is for %s, that of '%s' for %s; "
                                          "all data sets of an experiment must have the same task",
                                          file.data[d].name.c_str(), task.c_str(),
                                          file.data.front().name.c_str(), first.c_str()));
  }
}

void check_test_part(const train::Recipe& recipe, const ExperimentFile::Data& data) {
  if (recipe.has_test_part()) return;
  throw std::invalid_argument(data.where + ": the data set '" + data.name +
                              "' has no test part to measure on; set data.test, or " +
                              "data.test_fraction if the task has it");
}

// The metrics of the paper's figures.
std::vector<std::string> shares_of(std::vector<std::string> metrics) {
  std::erase_if(metrics, [](const auto& name) { return !metrics::is_share(name); });
  return metrics;
}

void apply(base::ConfigTree& tree, const std::vector<Override>& overrides) {
  for (const auto& entry : overrides) tree.set(entry.section, entry.key, entry.value);
}

}  // namespace

Experiment Experiment::load(const fs::path& path) {
  Experiment experiment;
  experiment.file_ = ExperimentFile::load(path);
  experiment.add_cells();
  experiment.choose_metrics();
  experiment.check_paper();
  return experiment;
}

std::unique_ptr<train::Recipe> Experiment::resolve(const base::ConfigTree& recipe,
                                                   const ExperimentFile::Data& data,
                                                   const ExperimentFile::Variant& variant) const {
  auto tree = recipe;
  apply(tree, file_.set);
  apply(tree, data.set);
  apply(tree, variant.set);
  if (const auto on = variant.on.find(data.name); on != variant.on.end()) apply(tree, on->second);
  try {
    return tasks::read_recipe(tree);
  } catch (const std::invalid_argument& error) {
    const std::string message = error.what();
    // The message of a wrong override already begins with its line.
    if (message.starts_with(file_.path.string() + ":")) throw;
    throw std::invalid_argument(variant.where + ": the variant '" + variant.name +
                                "' cannot be trained on '" + data.name + "': " + message);
  }
}

void Experiment::add_cells() {
  std::vector<base::ConfigTree> recipes;
  for (const auto& data : file_.data) recipes.push_back(load_recipe(data));
  check_same_task(file_, recipes);
  for (std::size_t s = 0; s < file_.seeds.size(); ++s) {
    for (std::size_t d = 0; d < file_.data.size(); ++d) {
      for (std::size_t v = 0; v < file_.variants.size(); ++v) {
        auto& cell = cells_.emplace_back();
        cell.data = d;
        cell.variant = v;
        cell.seed = s;
        cell.name = file_.data[d].name + "/" + file_.variants[v].name + "/seed-" +
                    std::to_string(file_.seeds[s]);
        cell.folder = file_.output / cell.name;
        cell.recipe = resolve(recipes[d], file_.data[d], file_.variants[v]);
        cell.recipe->train.seed = file_.seeds[s];
        check_test_part(*cell.recipe, file_.data[d]);
      }
    }
  }
}

void Experiment::choose_metrics() {
  metrics_ = file_.metrics.empty() ? measures().main : file_.metrics;
  const auto& known = measures().test;
  for (const auto& metric : metrics_) {
    if (std::find(known.begin(), known.end(), metric) != known.end()) continue;
    throw std::invalid_argument(file_.metrics_where + ": " + task() + " has no metric '" + metric +
                                "'" + base::suggestion(metric, known));
  }
}

void Experiment::check_paper() const {
  const auto shares = shares_of(metrics_);
  for (const auto& variant : file_.variants) {
    for (const auto& [data, scores] : variant.paper) {
      if (scores.percents.size() == shares.size()) continue;
      std::string list;
      for (const auto& name : shares) list.append(list.empty() ? "" : ", ").append(name);
      throw std::invalid_argument(
          scores.where + base::format(": the list '%s' in paper has length %zu, expected %zu in "
                                      "percent, one for each metric except the loss (%s)",
                                      data.c_str(), scores.percents.size(), shares.size(),
                                      list.empty() ? "there are none" : list.c_str()));
    }
  }
}

std::optional<double> Experiment::paper_percent(std::size_t data, std::size_t variant,
                                                const std::string& metric) const {
  const auto& paper = file_.variants[variant].paper;
  const auto scores = paper.find(file_.data[data].name);
  if (scores == paper.end()) return std::nullopt;
  const auto shares = shares_of(metrics_);
  const auto place = std::find(shares.begin(), shares.end(), metric);
  if (place == shares.end()) return std::nullopt;
  return scores->second.percents[static_cast<std::size_t>(place - shares.begin())];
}

const Cell& Experiment::cell(std::size_t data, std::size_t variant, std::size_t seed) const {
  return cells_.at((seed * file_.data.size() + data) * file_.variants.size() + variant);
}

std::vector<const Cell*> Experiment::select(const std::vector<std::string>& texts) const {
  const auto contains = [](const Cell& cell, const std::string& text) {
    return cell.name.find(text) != std::string::npos;
  };
  for (const auto& text : texts) {
    if (std::none_of(cells_.begin(), cells_.end(),
                     [&](const auto& cell) { return contains(cell, text); })) {
      throw std::invalid_argument("no cell has a name that contains '" + text +
                                  "'; names look like " + cells_.front().name +
                                  "; --dry-run lists them");
    }
  }
  std::vector<const Cell*> selected;
  for (const auto& cell : cells_) {
    if (texts.empty() || std::any_of(texts.begin(), texts.end(),
                                     [&](const auto& text) { return contains(cell, text); })) {
      selected.push_back(&cell);
    }
  }
  return selected;
}

void Experiment::check_sources(const Cell& cell) const {
  const auto& data = file_.data[cell.data];
  try {
    for (const auto& [field, path] : cell.recipe->sources()) {
      if (!fs::exists(path))
        throw std::invalid_argument(path.string() + ": does not exist; check " + field);
    }
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(data.where + ": the data set '" + data.name +
                                "' cannot be read: " + error.what());
  }
}

void Experiment::check_buildable(const Cell& cell) const {
  const auto refuse = [&](const std::string& message) {
    const auto& variant = file_.variants[cell.variant];
    throw std::invalid_argument(variant.where + ": the variant '" + variant.name +
                                "' cannot be trained on '" + file_.data[cell.data].name +
                                "': " + message);
  };
  try {
    cell.recipe->check_model();
  } catch (const c10::Error& error) {
    refuse(error.what_without_backtrace());
  } catch (const std::invalid_argument& error) {
    refuse(error.what());
  }
}

void Experiment::check_ready(const std::vector<const Cell*>& cells) const {
  std::set<std::pair<std::size_t, std::size_t>> checked;  // a seed changes nothing here
  for (const auto* cell : cells) {
    if (!checked.emplace(cell->data, cell->variant).second) continue;
    check_sources(*cell);
    check_buildable(*cell);
  }
}

}  // namespace fastformer::study

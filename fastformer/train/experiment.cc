#include "fastformer/train/experiment.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "fastformer/data/dataset_cache.h"
#include "fastformer/tasks/text_classifier.h"

namespace fastformer::train {
namespace {

namespace fs = std::filesystem;

base::ConfigTree load_recipe(const ExperimentFile::Data& data) {
  const auto& where = data.recipe_where;
  if (!fs::is_regular_file(data.recipe)) {
    throw std::invalid_argument(where + ": there is no recipe '" + data.recipe +
                                "'; check the path, which begins where the program is started");
  }
  try {
    return base::ConfigTree::from_toml(data.recipe);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(where + ": the recipe of '" + data.name +
                                "' cannot be used: " + error.what());
  }
}

void check_test_part(const Recipe& recipe, const ExperimentFile::Data& data) {
  if (recipe.task.name != "classification") {
    throw std::invalid_argument(data.where + ": the recipe of '" + data.name + "' is for " +
                                recipe.task.name +
                                "; experiments compare classifiers, train this one by itself");
  }
  if (!recipe.data.test.empty() || recipe.data.test_fraction > 0) return;
  throw std::invalid_argument(data.where + ": the data set '" + data.name +
                              "' has no test part to measure on; set data.test or "
                              "data.test_fraction");
}

void apply(base::ConfigTree& tree, const std::vector<Override>& overrides) {
  for (const auto& entry : overrides) tree.set(entry.section, entry.key, entry.value);
}

}  // namespace

Experiment Experiment::load(const fs::path& path) {
  Experiment experiment;
  experiment.file_ = ExperimentFile::load(path);
  experiment.add_cells();
  return experiment;
}

Recipe Experiment::resolve(const base::ConfigTree& recipe, const ExperimentFile::Data& data,
                           const ExperimentFile::Variant& variant) const {
  auto tree = recipe;
  apply(tree, file_.set);
  apply(tree, data.set);
  apply(tree, variant.set);
  try {
    return Recipe::from_tree(tree);
  } catch (const std::invalid_argument& error) {
    const std::string message = error.what();
    // What is wrong with one override already begins with its line.
    if (message.starts_with(file_.path.string() + ":")) throw;
    throw std::invalid_argument(variant.where + ": the variant '" + variant.name +
                                "' cannot be trained on '" + data.name + "': " + message);
  }
}

void Experiment::add_cells() {
  std::vector<base::ConfigTree> recipes;
  for (const auto& data : file_.data) recipes.push_back(load_recipe(data));
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
        cell.recipe.train.seed = file_.seeds[s];
        check_test_part(cell.recipe, file_.data[d]);
      }
    }
  }
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
      throw std::invalid_argument("no cell's name contains '" + text + "'; they are like " +
                                  cells_.front().name + ", see --dry-run");
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
    data::cache_key(cell.recipe.data, cell.recipe.text);
    const auto& vectors = cell.recipe.train.word_vectors;
    if (!vectors.empty() && !fs::exists(vectors)) {
      throw std::invalid_argument(vectors + ": does not exist; check train.word_vectors");
    }
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(data.where + ": the data set '" + data.name +
                                "' cannot be read: " + error.what());
  }
}

// A model with the smallest tables: what its layers refuse does not depend on them.
void Experiment::check_model(const Cell& cell) const {
  auto config = cell.recipe.model;
  config.bigram_buckets = std::min<std::int64_t>(config.bigram_buckets, 1);
  const auto refuse = [&](const std::string& message) {
    const auto& variant = file_.variants[cell.variant];
    throw std::invalid_argument(variant.where + ": the variant '" + variant.name +
                                "' cannot be trained on '" + file_.data[cell.data].name +
                                "': " + message);
  };
  try {
    tasks::TextClassifier(config, /*vocabulary_size=*/8, /*classes=*/2, /*seed=*/0);
  } catch (const c10::Error& error) {
    refuse(error.what_without_backtrace());
  } catch (const std::invalid_argument& error) {
    refuse(error.what());
  }
}

void Experiment::check_ready(const std::vector<const Cell*>& cells) const {
  std::set<std::string> sources, models;  // a seed changes neither
  for (const auto* cell : cells) {
    base::ConfigTree source, model;
    source.write_section("data", cell->recipe.data);
    source.write_section("text", cell->recipe.text);
    model.write_section("model", cell->recipe.model);
    if (sources.insert(source.to_toml() + cell->recipe.train.word_vectors).second) {
      check_sources(*cell);
    }
    if (models.insert(model.to_toml()).second) check_model(*cell);
  }
}

}  // namespace fastformer::train

#include "fastformer/study/experiment_file.h"

#include <algorithm>
#include <functional>
#include <set>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/base/toml_file.h"

namespace fastformer::study {
namespace {

using base::TomlItem;
using Keys = std::vector<std::string>;

const Keys kSections = {"experiment", "data", "variant"};
const Keys kExperimentKeys = {"name", "output", "seeds", "metrics", "keep_models", "set"};
const Keys kDataKeys = {"name", "recipe", "note", "set"};
const Keys kVariantKeys = {"name", "set", "grid", "on", "paper"};

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw std::invalid_argument(where + ": " + what);
}

[[noreturn]] void throw_unknown(const TomlItem& item, const std::string& table, const Keys& known) {
  fail(item.where,
       "unknown key '" + item.key + "' in " + table + base::suggestion(item.key, known));
}

const toml::table& table_of(const TomlItem& item, const std::string& example) {
  const auto* table = item.node->as_table();
  if (table == nullptr) fail(item.where, item.key + " must be a table such as " + example);
  return *table;
}

std::string text_of(const TomlItem& item) {
  const auto* text = item.node->as_string();
  if (text == nullptr) fail(item.where, item.key + " must be a string (in double quotes)");
  return text->get();
}

// Names become folders and table cells, so only plain characters are allowed.
std::string checked_name(const std::string& name, const std::string& where) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool plain =
      !name.empty() && is_letter(name.front()) && name.back() != ' ' &&
      std::all_of(name.begin(), name.end(), [&](char c) {
        return is_letter(c) || std::string_view(" ._+-").find(c) != std::string::npos;
      });
  if (!plain) {
    fail(where, "the name '" + name +
                    "' cannot be the name of a folder; use letters, digits, spaces and . _ + "
                    "-, and begin with a letter or digit");
  }
  return name;
}

std::string name_of(const TomlItem& item) { return checked_name(text_of(item), item.where); }

using FieldUse =
    std::function<void(const std::string& section, const std::string& key, const TomlItem& entry)>;

// "model.mixer" = "linear", model.mixer = "linear" and model = { mixer = "linear" } are the same.
// `path` is that of the table: "" or such as "model.mixer".
void for_each_field(const toml::table& table, const std::string& path, const std::string& file,
                    const FieldUse& use) {
  for (const auto& entry : base::items_in_file_order(table, file)) {
    const auto name = path.empty() ? entry.key : path + "." + entry.key;
    if (const auto* inner = entry.node->as_table()) {
      for_each_field(*inner, name, file, use);
      continue;
    }
    const auto dot = name.rfind('.');
    if (dot == std::string::npos || dot == 0 || dot + 1 == name.size()) {
      fail(entry.where,
           "'" + name +
               "' must consist of a section and a field of the recipe, such as \"model.layers\"");
    }
    const auto section = name.substr(0, dot), key = name.substr(dot + 1);
    if (name == "train.seed") {
      fail(entry.where, "train.seed is set by the seeds of [experiment]; remove it here");
    }
    if (section == "task") {
      fail(entry.where, "the task of a recipe cannot be changed; use a recipe of that task");
    }
    use(section, key, entry);
  }
}

std::vector<Override> overrides_of(const TomlItem& item, const std::string& file) {
  std::vector<Override> overrides;
  for_each_field(
      table_of(item, "{ \"model.layers\" = 2 }"), "", file,
      [&](const std::string& section, const std::string& key, const TomlItem& entry) {
        overrides.push_back({section, key, base::config_value_of(entry, section + "." + key)});
      });
  return overrides;
}

// The combinations of the values that `grid` lists for each field.
std::vector<std::vector<Override>> combinations_of(const TomlItem& grid, const std::string& file) {
  const std::string example = "{ \"model.layers\" = [1, 2] }";
  std::vector<std::vector<Override>> combinations = {{}};
  for_each_field(table_of(grid, example), "", file,
                 [&](const std::string& section, const std::string& key, const TomlItem& entry) {
                   const auto* values = entry.node->as_array();
                   if (values == nullptr || values->empty()) {
                     fail(entry.where,
                          "grid needs a list of values for each field, such as " + example);
                   }
                   std::vector<std::vector<Override>> longer;
                   for (const auto& combination : combinations) {
                     for (const auto& value : *values) {
                       const TomlItem one{key, entry.where, &value};
                       longer.push_back(combination);
                       longer.back().push_back(
                           {section, key, base::config_value_of(one, section + "." + key)});
                     }
                   }
                   combinations = std::move(longer);
                 });
  if (combinations.front().empty()) {
    fail(grid.where, "grid names no field; list values, such as " + example);
  }
  return combinations;
}

std::vector<std::int64_t> seeds_of(const TomlItem& item) {
  std::vector<std::int64_t> seeds;
  const auto* array = item.node->as_array();
  if (array != nullptr) {
    for (const auto& element : *array) {
      const auto* seed = element.as_integer();
      if (seed != nullptr && seed->get() >= 0) seeds.push_back(seed->get());
    }
  }
  if (array == nullptr || seeds.empty() || seeds.size() != array->size()) {
    fail(item.where, "seeds must be a list of whole numbers from 0, such as [1, 2, 3]");
  }
  if (std::set<std::int64_t>(seeds.begin(), seeds.end()).size() != seeds.size()) {
    fail(item.where, "seeds contains a number twice; list each number once");
  }
  return seeds;
}

std::vector<std::string> metrics_of(const TomlItem& item) {
  std::vector<std::string> metrics;
  base::assign("metrics", base::config_value_of(item, "metrics"), {}, &metrics);
  if (metrics.empty() ||
      std::set<std::string>(metrics.begin(), metrics.end()).size() != metrics.size()) {
    fail(item.where, "metrics must list at least one metric, and each only once");
  }
  return metrics;
}

PaperScores paper_scores_of(const TomlItem& item) {
  PaperScores scores{.percents = {}, .where = item.where};
  if (const auto* array = item.node->as_array()) {
    for (const auto& element : *array) {
      const auto number = element.value<double>();
      if (number && element.is_number() && *number >= 0 && *number <= 100) {
        scores.percents.push_back(*number);
      }
    }
    if (!array->empty() && array->size() == scores.percents.size()) return scores;
  }
  fail(item.where,
       base::format("the paper's figures for '%s' must be a list of numbers in percent, "
                    "such as [66.13, 43.23]",
                    item.key.c_str()));
}

void read_experiment(const toml::table& table, ExperimentFile& file) {
  const auto path = file.path.string();
  for (const auto& item : base::items_in_file_order(table, path)) {
    if (item.key == "name") {
      file.name = name_of(item);
    } else if (item.key == "output") {
      file.output = text_of(item);
    } else if (item.key == "seeds") {
      file.seeds = seeds_of(item);
    } else if (item.key == "metrics") {
      file.metrics = metrics_of(item);
      file.metrics_where = item.where;
    } else if (item.key == "keep_models") {
      base::assign("keep_models", base::config_value_of(item, "keep_models"), {},
                   &file.keep_models);
    } else if (item.key == "set") {
      file.set = overrides_of(item, path);
    } else {
      throw_unknown(item, "[experiment]", kExperimentKeys);
    }
  }
}

ExperimentFile::Data read_data(const toml::table& table, const std::string& where,
                               const std::string& path) {
  ExperimentFile::Data data{.where = where};
  for (const auto& item : base::items_in_file_order(table, path)) {
    if (item.key == "name") {
      data.name = name_of(item);
      data.where = item.where;
    } else if (item.key == "recipe") {
      data.recipe = text_of(item);
      data.recipe_where = item.where;
    } else if (item.key == "note") {
      data.note = text_of(item);
    } else if (item.key == "set") {
      data.set = overrides_of(item, path);
    } else {
      throw_unknown(item, "[[data]]", kDataKeys);
    }
  }
  if (data.name.empty()) fail(where, "this [[data]] has no name; add one");
  if (data.recipe.empty()) {
    fail(where, "the data set '" + data.name +
                    "' has no recipe; give a file, such as recipe = \"recipes/imdb.toml\"");
  }
  return data;
}

// The entries of a variant for single data sets, by name.
std::vector<TomlItem> by_data_set(const TomlItem& item, const std::string& example,
                                  const ExperimentFile& file) {
  Keys known;
  for (const auto& data : file.data) known.push_back(data.name);
  auto entries = base::items_in_file_order(table_of(item, example), file.path.string());
  for (const auto& entry : entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    fail(entry.where,
         "no [[data]] is named '" + entry.key + "'" + base::suggestion(entry.key, known));
  }
  return entries;
}

bool sets(const std::vector<Override>& fields, const Override& field) {
  return std::ranges::any_of(fields, [&](const Override& other) {
    return other.section == field.section && other.key == field.key;
  });
}

// A variant for each combination, which its name ends with: "small layers 2 width 64".
std::vector<ExperimentFile::Variant> expanded(
    const ExperimentFile::Variant& variant,
    const std::vector<std::vector<Override>>& combinations) {
  const bool one_is_all = combinations.size() == 1;
  if (!one_is_all && !variant.paper.empty()) {
    fail(variant.where, "the paper's figures are of one model, but grid makes several; remove one");
  }
  std::vector<ExperimentFile::Variant> variants;
  for (const auto& combination : combinations) {
    auto& one = variants.emplace_back(variant);
    for (const auto& field : combination) {
      const bool twice =
          sets(variant.set, field) || std::ranges::any_of(variant.on, [&](const auto& data_set) {
            return sets(data_set.second, field);
          });
      if (twice) {
        fail(field.value.where, "grid and set or on give values for " + field.section + "." +
                                    field.key + "; keep one of them");
      }
      const bool same_key = std::ranges::any_of(combination, [&](const Override& other) {
        return other.key == field.key && other.section != field.section;
      });
      auto value = base::toml_text(field.value);
      std::erase_if(value,
                    [](char c) { return std::string_view("\"[],").find(c) != std::string::npos; });
      std::ranges::replace(value, '/', '-');
      if (value.empty()) value = "none";
      one.name += " " + (same_key ? field.section + "." : std::string()) + field.key + " " + value;
      one.set.push_back(field);
    }
    checked_name(one.name, one.where);
  }
  return variants;
}

std::vector<ExperimentFile::Variant> read_variants(const toml::table& table,
                                                   const std::string& where,
                                                   const ExperimentFile& file) {
  const auto path = file.path.string();
  std::vector<std::vector<Override>> combinations = {{}};
  ExperimentFile::Variant variant{.where = where};
  for (const auto& item : base::items_in_file_order(table, path)) {
    if (item.key == "name") {
      variant.name = name_of(item);
      variant.where = item.where;
    } else if (item.key == "set") {
      variant.set = overrides_of(item, path);
    } else if (item.key == "grid") {
      combinations = combinations_of(item, path);
    } else if (item.key == "on") {
      for (const auto& entry : by_data_set(item, "{ \"imdb\" = { \"model.layers\" = 2 } }", file)) {
        variant.on[entry.key] = overrides_of(entry, path);
      }
    } else if (item.key == "paper") {
      for (const auto& entry : by_data_set(item, "{ \"imdb\" = [54.10, 44.65] }", file)) {
        variant.paper[entry.key] = paper_scores_of(entry);
      }
    } else {
      throw_unknown(item, "[[variant]]", kVariantKeys);
    }
  }
  if (variant.name.empty()) fail(where, "this [[variant]] has no name; add one");
  return expanded(variant, combinations);
}

// The tables of a [[name]], each with the place of its first line.
std::vector<std::pair<const toml::table*, std::string>> tables_of(const TomlItem& item,
                                                                  const std::string& path) {
  std::vector<std::pair<const toml::table*, std::string>> tables;
  const auto* array = item.node->as_array();
  if (array == nullptr || !array->is_homogeneous(toml::node_type::table)) {
    fail(item.where, "'" + item.key + "' must be a table with double brackets, [[" + item.key +
                         "]], one per entry");
  }
  for (const auto& element : *array) {
    tables.emplace_back(element.as_table(),
                        path + ":" + std::to_string(element.source().begin.line));
  }
  return tables;
}

template <class Entries>
void check_names(const Entries& entries, const std::string& kind) {
  std::map<std::string, std::string> seen;
  for (const auto& entry : entries) {
    const auto [first, fresh] = seen.emplace(entry.name, entry.where);
    if (!fresh) {
      const auto line = first->second.substr(first->second.rfind(':') + 1);
      fail(entry.where, "the " + kind + " '" + entry.name + "' is already on line " + line +
                            "; give each its own name");
    }
  }
}

void check_complete(const ExperimentFile& file) {
  const auto& where = file.where;
  if (file.name.empty()) fail(where, "[experiment] has no name; add one");
  if (file.seeds.empty()) fail(where, "[experiment] has no seeds; add seeds = [1, 2, 3]");
  if (file.data.empty()) fail(where, "there is no [[data]]; add at least one data set");
  if (file.variants.empty()) fail(where, "there is no [[variant]]; add at least one");
}

}  // namespace

ExperimentFile ExperimentFile::load(const std::filesystem::path& path) {
  const auto root = base::parse_toml_file(path);
  ExperimentFile file{.path = path, .where = path.string() + ":1"};
  const TomlItem* variants = nullptr;
  const auto items = base::items_in_file_order(root, path.string());
  for (const auto& item : items) {
    if (item.key == "experiment") {
      file.where = item.where;
      read_experiment(table_of(item, "[experiment]"), file);
    } else if (item.key == "data") {
      for (const auto& [table, where] : tables_of(item, path.string())) {
        file.data.push_back(read_data(*table, where, path.string()));
      }
    } else if (item.key == "variant") {
      variants = &item;
    } else {
      throw_unknown(item, "an experiment", kSections);
    }
  }
  // Variants are read last because they name data sets.
  if (variants != nullptr) {
    for (const auto& [table, where] : tables_of(*variants, path.string())) {
      for (auto& variant : read_variants(*table, where, file)) {
        file.variants.push_back(std::move(variant));
      }
    }
  }
  check_complete(file);
  check_names(file.data, "data set");
  check_names(file.variants, "variant");
  if (file.output.empty()) file.output = std::filesystem::path("runs") / file.name;
  return file;
}

}  // namespace fastformer::study

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/cli/answers/prediction_input.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/inspect_data.h"
#include "fastformer/tasks/task_table.h"
#include "fastformer/text/word_tokenizer.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

struct InspectFlags {
  fs::path subject;
  std::vector<std::string> set;
};

void inspect_recipe(const InspectFlags& flags) {
  const auto recipe = tasks::load_recipe(flags.subject, flags.set);
  // The vocabulary is known only after the training text is read: its limit is an upper bound.
  std::cout << recipe->tree().to_toml() << "\nWith the largest vocabulary that the recipe allows:\n"
            << train::parameter_table(recipe->largest_model());
}

struct DataStatistics {
  std::map<std::string, std::int64_t> labels;
  std::vector<std::int64_t> lengths;
};

DataStatistics read_statistics(const classification::DataConfig& config, const fs::path& path) {
  DataStatistics statistics;
  const auto reader = classification::open_reader(config, path);
  for (classification::Example example; reader->next(example);) {
    for (const auto& label : example.labels) ++statistics.labels[label];
    if (example.labels.empty()) ++statistics.labels[example.label];
    std::int64_t words = 0;
    text::visit_words(example.text, [&](std::string_view) { return ++words > 0; });
    statistics.lengths.push_back(words);
  }
  std::sort(statistics.lengths.begin(), statistics.lengths.end());
  return statistics;
}

// As training would read the data by these settings.
void inspect_documents(const InspectFlags& flags) {
  classification::DataConfig config;
  if (fs::is_directory(flags.subject)) config.format = "imdb";
  if (const auto format = format_of_name(flags.subject); !format.empty()) config.format = format;
  base::ConfigTree::from_assignments(flags.set, {"data"}).read_section("data", config);
  const auto statistics = read_statistics(config, flags.subject);
  const auto& lengths = statistics.lengths;
  const auto at = [&](double share) {
    return lengths[static_cast<std::size_t>(share * static_cast<double>(lengths.size() - 1))];
  };
  std::int64_t words = 0;
  for (const auto length : lengths) words += length;
  std::cout << base::format(
      "rows %zu\nwords %ld; per row: mean %.1f, median %ld, 95 %% %ld, longest %ld\n",
      lengths.size(), words, static_cast<double>(words) / static_cast<double>(lengths.size()),
      at(0.5), at(0.95), lengths.back());
  for (const auto& [label, count] : statistics.labels) {
    std::cout << base::format("%10ld  ", count) << (label.empty() ? "(no label)" : label) << '\n';
  }
}

bool is_model_or_run(const fs::path& path) {
  return fs::exists(path / "config.json") || fs::exists(path / "model" / "config.json") ||
         fs::exists(path / "recipe.toml");
}

void inspect(const InspectFlags& flags) {
  if (!fs::exists(flags.subject)) {
    throw std::invalid_argument(flags.subject.string() +
                                " does not exist; give a model directory, a recipe or a data file");
  }
  if (is_model_or_run(flags.subject)) {
    std::cout << tasks::task_of_model(flags.subject).inspect(flags.subject);
  } else if (flags.subject.extension() == ".toml") {
    inspect_recipe(flags);
  } else if (!flags.set.empty()) {
    inspect_documents(flags);
  } else {
    std::cout << inspect_data(flags.subject);
  }
}

}  // namespace

void add_inspect_command(CLI::App& app) {
  const auto flags = std::make_shared<InspectFlags>();
  auto* command = app.add_subcommand("inspect", "Describe a model, a recipe or a data file");
  command
      ->add_option(
          "subject", flags->subject,
          "Model directory, recipe (.toml), data file or folder; for data, a recipe is printed")
      ->required();
  command
      ->add_option("--set", flags->set,
                   "Override a field of the recipe, or set how the data is read: section.key=value")
      ->type_name("KEY=VALUE");
  command->callback([flags] { inspect(*flags); });
}

}  // namespace fastformer::cli

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/config_tree.h"
#include "fastformer/base/config_value.h"
#include "fastformer/base/format.h"
#include "fastformer/classification/autotune.h"
#include "fastformer/cli/answers/prediction_input.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/inspect_data.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/nn/torch_errors.h"
#include "fastformer/train/stop_signal.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

struct AutotuneFlags {
  std::vector<std::string> data;
  std::string test, metric = "auto", text_column, label_column;
  fs::path output;
  double seconds = 600;
  std::uint64_t most_bytes = 0;  // of the parameter files; 0: no limit
  std::vector<std::string> set;

  bool names_recipe() const { return fs::path(data.front()).extension() == ".toml"; }
};

// "10m", "90s", "1h" or a number of seconds.
double seconds_of(const std::string& text) {
  const auto unit = text.find_first_not_of("0123456789.");
  const auto name = unit == std::string::npos ? "s" : text.substr(unit);
  const double factor = name == "s" ? 1 : name == "m" ? 60 : name == "h" ? 3600 : 0;
  const double value = std::atof(text.c_str());
  if (factor == 0 || value <= 0) {
    throw CLI::ValidationError("--time",
                               "is '" + text + "', expected a time such as 90s, 10m or 1h");
  }
  return value * factor;
}

// The section [data]: that of a recipe, or what the files show.
classification::DataConfig data_of(const AutotuneFlags& flags) {
  const fs::path first = flags.data.front();
  auto file = first;
  if (!flags.names_recipe()) {
    file = flags.output / "data.toml";
    base::write_file_atomically(file, inspect_data(first));
  }
  const auto found = base::ConfigTree::from_toml(file);
  classification::DataConfig config;
  if (!found.contains("data")) {
    // What the data show is not enough, but the flags may be.
    if (!flags.text_column.empty() && !flags.label_column.empty()) {
      if (const auto format = format_of_name(first); !format.empty()) config.format = format;
      config.validation_fraction = 0.1;
      return config;
    }
    throw std::invalid_argument(
        first.string() +
        ": no columns of text and label are found; name them in the [data] section of a recipe");
  }
  found.read_section("data", config);
  return config;
}

void autotune(const AutotuneFlags& flags) {
  base::create_folder(flags.output);
  const auto data = data_of(flags);
  std::vector<std::string> settings;
  const auto quoted_list = [](const std::vector<std::string>& texts) {
    std::string list;
    for (const auto& text : texts) list += (list.empty() ? "" : ", ") + base::quoted(text);
    return "[" + list + "]";
  };
  if (!flags.names_recipe()) {
    settings.push_back("data.train=" + quoted_list(flags.data));
    settings.emplace_back("data.test_fraction=0.0");
  }
  if (!flags.test.empty()) settings.push_back("data.test=" + quoted_list({flags.test}));
  if (!flags.text_column.empty()) {
    settings.push_back("data.text_columns=" + quoted_list({flags.text_column}));
  }
  if (!flags.label_column.empty()) {
    settings.push_back("data.label_column=" + base::quoted(flags.label_column));
  }
  settings.push_back("train.metric=" + flags.metric);
  settings.insert(settings.end(), flags.set.begin(), flags.set.end());

  const train::StopSignal stop;
  std::size_t count = 0;
  const auto tuned = nn::without_torch_errors([&] {
    return classification::autotune(
        data, flags.output,
        {.seconds = flags.seconds,
         .most_bytes = static_cast<std::int64_t>(flags.most_bytes),
         .assignments = settings,
         .stop = [&] { return stop.requested(); },
         .report =
             [&](const classification::Trial& trial) {
               log_line(base::format("trial %zu  %-26s %5lld steps  %6.1f s  loss %.4f  %s %.4f",
                                     ++count, trial.candidate.c_str(),
                                     static_cast<long long>(trial.steps), trial.seconds, trial.loss,
                                     flags.metric == "auto" ? "score" : flags.metric.c_str(),
                                     trial.score));
             },
         .notice = log_line});
  });
  std::cout << base::format("best of %zu trials: %s, %.4f on the validation part\n",
                            tuned.trials.size(), tuned.best.candidate.c_str(), tuned.best.score);
  if (!tuned.table.empty()) std::cout << "test\n" << tuned.table;
  std::cout << "model " << (flags.output / "model").string() << "\nrecipe "
            << (flags.output / "recipe.toml").string() << std::endl;
}

}  // namespace

void add_autotune_command(CLI::App& app) {
  const auto flags = std::make_shared<AutotuneFlags>();
  auto* command = app.add_subcommand(
      "autotune", "Find and train the best classifier for a file in a given time");
  command
      ->add_option("data", flags->data,
                   "Files or folders with the training examples, whose columns and format are "
                   "detected; or a recipe (.toml), whose [data] is used")
      ->required();
  command->add_option("--output", flags->output, "Folder for model, recipe and leaderboard")
      ->required();
  command
      ->add_option_function<std::string>(
          "--time", [flags](const std::string& text) { flags->seconds = seconds_of(text); },
          "Time for everything, such as 90s, 10m or 1h")
      ->default_str("10m");
  command
      ->add_option(
          "--size", flags->most_bytes,
          "Largest total size of the model's parameter files, such as 20MB; a larger model is "
          "quantized, as by the command quantize --size")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62));
  command
      ->add_option("--metric", flags->metric,
                   "Validation score to maximize, such as accuracy or macro_f1; auto: the first "
                   "score of the task")
      ->capture_default_str();
  command->add_option("--text-column", flags->text_column, "Column of the text");
  command->add_option("--label-column", flags->label_column, "Column of the label");
  command->add_option("--test", flags->test, "File or folder with test examples, measured once");
  command->add_option("--set", flags->set, "Override a field of every candidate: section.key=value")
      ->type_name("KEY=VALUE");
  command->callback([flags] { autotune(*flags); });
}

}  // namespace fastformer::cli

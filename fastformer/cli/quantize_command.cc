#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/classification/quantization.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_options.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/tasks/task_table.h"

namespace fastformer::cli {
namespace {

struct QuantizeFlags {
  std::filesystem::path model, output;
  std::uint64_t most_bytes = 0;
  int bits = 4;
  std::vector<std::string> data, set;
};

// The accuracy, or the micro-F1 of a model with several labels per text.
std::pair<std::string, double> measured(const std::filesystem::path& model,
                                        const QuantizeFlags& flags) {
  const auto& task = tasks::task_of_model(model);
  const auto report =
      task.evaluate({.model = model, .data = flags.data, .set = flags.set}, log_line);
  const auto json = nlohmann::json::parse(report.json);
  const std::string metric = json.contains("accuracy") ? "accuracy" : "micro_f1";
  return {metric, json.at(metric).get<double>()};
}

void quantize(const QuantizeFlags& flags) {
  check_model_for("quantize", flags.model);
  std::error_code error;
  if (std::filesystem::equivalent(flags.model, flags.output, error)) {
    throw std::invalid_argument(flags.output.string() +
                                " is the model itself, which would be lost; name another folder");
  }
  std::pair<std::string, double> before;
  if (!flags.data.empty()) before = measured(flags.model, flags);
  const auto report = classification::quantize(
      flags.model, flags.output,
      {.tables = flags.bits == 4 ? model::Storage::kInt4 : model::Storage::kInt8,
       .most_bytes = static_cast<std::int64_t>(flags.most_bytes)});
  std::string table = base::format("%-22s %12s %12s\n", "", "before", "after");
  const auto add = [&](const char* name, std::int64_t first, std::int64_t second) {
    if (first > 0) table += base::format("%-22s %12ld %12ld\n", name, first, second);
  };
  add("bytes of parameters", report.bytes_before, report.bytes_after);
  add("token pairs", report.pairs_before, report.pairs_after);
  add("n-grams", report.ngrams_before, report.ngrams_after);
  if (!flags.data.empty()) {
    table += base::format("%-22s %12.4f %12.4f\n", before.first.c_str(), before.second,
                          measured(flags.output, flags).second);
  }
  std::cout << table;
}

}  // namespace

void add_quantize_command(CLI::App& app) {
  const auto flags = std::make_shared<QuantizeFlags>();
  auto* command =
      app.add_subcommand("quantize", "Quantize a classifier: store its parameters in 8 and 4 bits");
  command->add_option("model", flags->model, "Model directory")->required();
  command->add_option("output", flags->output, "Model directory to write")->required();
  auto* size =
      command
          ->add_option("--size", flags->most_bytes,
                       "Largest total size of the parameter files, such as 2MB; drops token pairs "
                       "and n-grams with small weights until they fit")
          ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
          ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62));
  command
      ->add_option("--bits", flags->bits,
                   "Bits per number of the token-pair embeddings: 4 or 8; with --size 4")
      ->check(CLI::IsMember({4, 8}))
      ->excludes(size)
      ->default_str("4");
  auto* data = command->add_option("--data", flags->data,
                                   "Labelled files to evaluate the model on, before and after");
  command
      ->add_option("--set", flags->set,
                   "Override a setting for reading the --data files: data.text_columns=[...]")
      ->type_name("KEY=VALUE")
      ->needs(data);
  command->callback([flags] { quantize(*flags); });
}

}  // namespace fastformer::cli

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
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

double accuracy_of(const std::filesystem::path& model, const QuantizeFlags& flags) {
  const auto& task = tasks::task_of_model(model);
  const auto report =
      task.evaluate({.model = model, .data = flags.data, .set = flags.set}, log_line);
  const auto json = nlohmann::json::parse(report.json);
  return json.contains("accuracy") ? json["accuracy"].get<double>()
                                   : json.at("micro_f1").get<double>();
}

void quantize(const QuantizeFlags& flags) {
  check_model_for("quantize", flags.model);
  const auto report = classification::quantize(
      flags.model, flags.output,
      {.tables = flags.bits == 4 ? model::Storage::kInt4 : model::Storage::kInt8,
       .most_bytes = static_cast<std::int64_t>(flags.most_bytes)});
  std::string table = base::format("%-22s %12s %12s\n", "", "before", "after");
  const auto add = [&](const char* name, std::int64_t before, std::int64_t after) {
    if (before > 0) table += base::format("%-22s %12ld %12ld\n", name, before, after);
  };
  add("bytes of parameters", report.bytes_before, report.bytes_after);
  add("token pairs", report.pairs_before, report.pairs_after);
  add("n-grams", report.ngrams_before, report.ngrams_after);
  if (!flags.data.empty()) {
    table += base::format("%-22s %12.4f %12.4f\n", "accuracy or micro-F1",
                          accuracy_of(flags.model, flags), accuracy_of(flags.output, flags));
  }
  std::cout << table;
}

}  // namespace

void add_quantize_command(CLI::App& app) {
  const auto flags = std::make_shared<QuantizeFlags>();
  auto* command = app.add_subcommand(
      "quantize", "Make a classifier smaller and faster: its numbers in 8 and 4 bits");
  command->add_option("model", flags->model, "Model directory")->required();
  command->add_option("output", flags->output, "Model directory to write")->required();
  command
      ->add_option(
          "--size", flags->most_bytes,
          "Largest size of the parameters, such as 2MB; token pairs and n-grams with small "
          "weights are dropped to get there")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true));
  command->add_option("--bits", flags->bits, "Bits per number of the table of token pairs: 4 or 8")
      ->check(CLI::IsMember({4, 8}))
      ->capture_default_str();
  command->add_option("--data", flags->data,
                      "Labelled files on which to measure the model before and after");
  command
      ->add_option("--set", flags->set, "Override how the files are read: data.text_columns=[...]")
      ->type_name("KEY=VALUE");
  command->callback([flags] { quantize(*flags); });
}

}  // namespace fastformer::cli

#include <CLI/CLI.hpp>
#include <memory>

#include "fastformer/classification/authors_names.h"
#include "fastformer/cli/commands.h"

namespace fastformer::cli {
namespace {

struct ConvertFlags {
  std::filesystem::path model, state, output;
};

}  // namespace

void add_convert_command(CLI::App& app) {
  const auto flags = std::make_shared<ConvertFlags>();
  auto* command = app.add_subcommand(
      "convert",
      "Exchange weights with the PyTorch code of the Fastformer paper's authors (safetensors)");
  command->require_subcommand(1);
  auto* to = command->add_subcommand(
      "export", "Export a model's weights under the parameter names of the authors' code");
  to->add_option("model", flags->model, "Model directory")->required();
  to->add_option("output", flags->output, "Safetensors file to write")->required();
  to->callback([flags] { classification::export_weights(flags->model, flags->output); });
  auto* from =
      command->add_subcommand("import", "Import weights saved by the authors' PyTorch code");
  from->add_option("state", flags->state, "Safetensors file to read")->required();
  from->add_option("model", flags->model,
                   "Model directory that provides the configuration, tokenizer and labels")
      ->required();
  from->add_option("output", flags->output, "Model directory to write")->required();
  from->callback(
      [flags] { classification::import_weights(flags->state, flags->model, flags->output); });
}

}  // namespace fastformer::cli

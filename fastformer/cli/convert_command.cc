#include <memory>

#include "fastformer/cli/commands.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/tasks/authors_names.h"
#include "fastformer/tasks/model_directory.h"

namespace fastformer::cli {
namespace {

struct ConvertFlags {
  std::filesystem::path model, state, output;
};

void export_state(const ConvertFlags& flags) {
  const auto content = tasks::load_model(flags.model);
  nn::save_tensors(flags.output, tasks::to_authors_names(content.model->parameters()),
                   {{"format", "pt"}});
}

void import_state(const ConvertFlags& flags) {
  const auto content = tasks::load_model(flags.model);
  const auto state = nn::load_tensors(flags.state).tensors;
  nn::assign(content.model->parameters(), tasks::from_authors_names(state), flags.state.string());
  tasks::save_model(
      flags.output, content.format, content.data_config, *content.tokenizer, *content.model,
      "# Text classifier\n\nWeights converted from " + flags.state.filename().string() + ".\n");
}

}  // namespace

void add_convert_command(CLI::App& app) {
  const auto flags = std::make_shared<ConvertFlags>();
  auto* command = app.add_subcommand(
      "convert", "Exchange weights with the published PyTorch code, as safetensors");
  command->require_subcommand(1);
  auto* to = command->add_subcommand("export", "Write a model's weights under the authors' names");
  to->add_option("model", flags->model, "Model directory")->required();
  to->add_option("output", flags->output, "A safetensors file to write")->required();
  to->callback([flags] { export_state(*flags); });
  auto* from = command->add_subcommand("import", "Make a model of weights with the authors' names");
  from->add_option("state", flags->state, "A safetensors file")->required();
  from->add_option("model", flags->model,
                   "Model directory that gives configuration, tokenizer and labels")
      ->required();
  from->add_option("output", flags->output, "Model directory to write")->required();
  from->callback([flags] { import_state(*flags); });
}

}  // namespace fastformer::cli

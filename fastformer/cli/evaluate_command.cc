#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>

#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_data.h"
#include "fastformer/data/dataset.h"
#include "fastformer/tasks/evaluation.h"
#include "fastformer/tasks/model_directory.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

struct EvaluateFlags {
  fs::path model;
  std::vector<fs::path> data;
  std::vector<std::string> set;
  bool json = false;
};

// The tokens need a file; it is gone when the command ends.
class TemporaryFile {
 public:
  TemporaryFile()
      : path_(fs::temp_directory_path() / ("fastformer-" + std::to_string(getpid()) + ".tokens")) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void evaluate(const EvaluateFlags& flags) {
  const auto content = tasks::load_model(flags.model);
  const auto& labels = content.format.labels;
  auto config = override_data(content.data_config, flags.set);
  config.max_tokens = content.model_config.document_limit(content.format.max_tokens);
  const TemporaryFile file;
  const auto set =
      data::tokenize_for_evaluation(config, flags.data, *content.tokenizer, labels, file.path());
  const auto result = tasks::evaluate(*content.model, set);
  std::cout << (flags.json ? tasks::evaluation_json(result, labels) + "\n"
                           : tasks::evaluation_table(result, labels));
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  const auto flags = std::make_shared<EvaluateFlags>();
  auto* command = app.add_subcommand("evaluate", "Measure a model on labelled data");
  command->add_option("model", flags->model, "Model directory")->required();
  command->add_option("data", flags->data, "Files or folders, read as the training data was")
      ->required();
  command->add_option("--set", flags->set, "Read the data otherwise: data.key=value")
      ->type_name("KEY=VALUE");
  command->add_flag("--json", flags->json, "Print JSON, with the confusion matrix");
  add_precision_option(*command);
  command->callback([flags] { evaluate(*flags); });
}

}  // namespace fastformer::cli

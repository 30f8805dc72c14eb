#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>

#include "fastformer/base/atomic_file.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/evaluate_recommender.h"
#include "fastformer/cli/model_data.h"
#include "fastformer/data/dataset.h"
#include "fastformer/data/pair_dataset.h"
#include "fastformer/tasks/evaluation.h"
#include "fastformer/tasks/model_directory.h"
#include "fastformer/tasks/model_files.h"
#include "fastformer/tasks/summarizer_directory.h"
#include "fastformer/tasks/summary_evaluation.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

// The tokens need files; they are gone when the command ends.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(fs::temp_directory_path() / ("fastformer-" + std::to_string(getpid()))) {
    base::create_folder(path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void evaluate_classifier(const EvaluateFlags& flags) {
  const auto content = tasks::load_model(flags.model);
  const auto& labels = content.format.labels;
  auto config = override_data(content.data_config, flags.set);
  config.max_tokens = content.model_config.document_limit(content.format.max_tokens);
  const TemporaryFolder folder;
  const std::vector<fs::path> files(flags.data.begin(), flags.data.end());
  const auto set = data::tokenize_for_evaluation(config, files, *content.tokenizer, labels,
                                                 folder.path() / "tokens");
  const auto result = tasks::evaluate(*content.model, set);
  std::cout << (flags.json ? tasks::evaluation_json(result, labels) + "\n"
                           : tasks::evaluation_table(result, labels));
}

void evaluate_summarizer(const EvaluateFlags& flags) {
  auto content = tasks::load_summarizer(flags.model);
  auto& config = content.data_config;
  const auto set_fields = overrides(flags.set, {"data", "search"});
  set_fields.read_section("data", config);
  set_fields.read_section("search", content.search);
  const auto& model = *content.model;
  config.max_source_tokens = model.config().source.document_limit(config.max_source_tokens);
  config.max_target_tokens = model.config().summary_limit(config.max_target_tokens);
  const TemporaryFolder folder;
  const auto set =
      data::tokenize_for_evaluation(config, flags.data, *content.tokenizer, folder.path());
  const auto texts = data::read_texts(config, flags.data, set);
  const auto result = tasks::evaluate(model, *content.tokenizer, content.search, set, texts);
  std::cout << (flags.json ? tasks::evaluation_json(result) + "\n"
                           : tasks::evaluation_table(result));
}

void evaluate(const EvaluateFlags& flags) {
  const auto kind = tasks::kind_of_model(flags.model);
  if (kind == "recommender") return evaluate_recommender(flags);
  if (!flags.ensemble.empty() || !flags.predictions.empty()) {
    throw std::invalid_argument("--ensemble and --predictions are for recommenders, but " +
                                flags.model.string() + " holds a " + kind);
  }
  if (flags.data.empty()) throw CLI::RequiredError("data");
  if (kind == "summarizer") return evaluate_summarizer(flags);
  evaluate_classifier(flags);
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  const auto flags = std::make_shared<EvaluateFlags>();
  auto* command = app.add_subcommand("evaluate", "Measure a model on data that hold the answers");
  command->add_option("model", flags->model, "Model directory")->required();
  command->add_option("data", flags->data,
                      "Files or folders, read as the training data was; of a recommender none: the "
                      "test part of its recipe");
  command
      ->add_option("--set", flags->set,
                   "Read the data otherwise: data.key=value; of summaries also search.key=value")
      ->type_name("KEY=VALUE");
  command
      ->add_option("--ensemble", flags->ensemble,
                   "More recommenders, whose standardized scores are averaged with the model's")
      ->delimiter(',');
  command->add_option("--predictions", flags->predictions,
                      "Of a recommender: a file for the ranks, as MIND's leaderboard reads it");
  command->add_flag("--json", flags->json, "Print JSON, of a classifier with the confusion matrix");
  add_precision_option(*command);
  command->callback([flags] { evaluate(*flags); });
}

}  // namespace fastformer::cli

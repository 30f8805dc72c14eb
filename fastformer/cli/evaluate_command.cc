#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_options.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/tasks/task_table.h"

namespace fastformer::cli {
namespace {

struct EvaluateFlags {
  train::EvaluationRequest request;
  bool json = false;
};

void evaluate(const EvaluateFlags& flags) {
  const auto report = tasks::task_of_model(flags.request.model).evaluate(flags.request, log_line);
  if (report.table.empty()) return;
  std::cout << (flags.json ? report.json + "\n" : report.table);
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  const auto flags = std::make_shared<EvaluateFlags>();
  auto& request = flags->request;
  auto* command = app.add_subcommand("evaluate", "Measure a model on labelled data");
  command->add_option("model", request.model, "Model directory")->required();
  command->add_option("data", request.data,
                      "Test files or folders in the training format. Without any, a recommender "
                      "uses its recipe's test part");
  command
      ->add_option("--set", request.set,
                   "Override a setting: data.key=value; for a summarizer also search.key=value")
      ->type_name("KEY=VALUE");
  command
      ->add_option("--ensemble", request.ensemble,
                   "Further recommenders for an ensemble; their standardized scores are averaged")
      ->delimiter(',');
  command->add_option("--predictions", request.predictions,
                      "Write a recommender's ranks to this file, as MIND's leaderboard reads them");
  command->add_option("--errors", request.errors,
                      "Write the misclassified rows to this CSV file, the worst first");
  command->add_flag("--json", flags->json,
                    "Print JSON; for a classifier it includes the confusion matrix");
  add_compute_options(*command, request.options);
  command->callback([flags] { evaluate(*flags); });
}

}  // namespace fastformer::cli

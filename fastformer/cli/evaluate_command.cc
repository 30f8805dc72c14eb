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
  auto* command = app.add_subcommand("evaluate", "Evaluate a model on labelled data");
  command->add_option("model", request.model, "Model directory")->required();
  command->add_option("data", request.data,
                      "Test files or folders, in the format of the training data; default for a "
                      "recommender: the test part of its recipe");
  command
      ->add_option("--set", request.set,
                   "Override a setting: data.key=value; for a summarizer also search.key=value")
      ->type_name("KEY=VALUE");
  command
      ->add_option("--ensemble", request.ensemble,
                   "More recommenders, which form an ensemble with the model; the standardized "
                   "scores are averaged")
      ->delimiter(',');
  command->add_option(
      "--predictions", request.predictions,
      "Write a recommender's ranks to this file, in the format of MIND's leaderboard");
  command->add_option("--errors", request.errors,
                      "Write the rows that a classifier misclassifies to this CSV file, lowest "
                      "probability of the correct label first");
  command->add_flag("--json", flags->json,
                    "Print JSON; for a classifier it includes the confusion matrix");
  add_compute_options(*command, request.options);
  command->callback([flags] { evaluate(*flags); });
}

}  // namespace fastformer::cli

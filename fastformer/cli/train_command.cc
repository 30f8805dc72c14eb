#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "fastformer/base/config_value.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/progress.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/tasks/task_table.h"
#include "fastformer/train/stop_signal.h"
#include "fastformer/train/training_run.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

struct TrainFlags {
  fs::path recipe, output, from;
  std::vector<std::string> set;
  bool resume = false;
};

void train(const TrainFlags& flags) {
  auto assignments = flags.set;
  if (!flags.from.empty()) {
    tasks::task_of_model(flags.from);  // a run is not its model
    assignments.push_back("train.from=" + base::quoted(flags.from.string()));
  }
  const auto recipe = tasks::load_recipe(flags.recipe, assignments);
  const auto folder = flags.output.empty() ? fs::path("runs") / flags.recipe.stem() : flags.output;
  train::TrainingRun run(*recipe, folder, {.resume = flags.resume, .notice = log_line});
  std::cout << run.task().summary() << std::flush;
  const train::StopSignal stop;
  Progress progress;
  if (!run.train({&progress}, [&] { return stop.requested(); })) {
    throw Stopped("stopped at step " + std::to_string(run.step()) + " of " +
                  std::to_string(run.total_steps()) +
                  "; all work is saved; use --resume to resume");
  }
  const auto finished = run.finish();
  if (finished.test.items > 0) std::cout << "test\n" << finished.test.table;
  std::cout << "model " << run.directory().model().string() << std::endl;
}

}  // namespace

void add_train_command(CLI::App& app) {
  const auto flags = std::make_shared<TrainFlags>();
  auto* command = app.add_subcommand("train", "Train a model from a recipe");
  command->add_option("recipe", flags->recipe, "Recipe (.toml); see recipes/")->required();
  command->add_option("--set", flags->set, "Override a field: section.key=value")
      ->type_name("KEY=VALUE");
  command->add_option("--output", flags->output, "Run directory (default: runs/<recipe>)");
  command->add_option(
      "--from", flags->from,
      "Start from the weights of this model directory, of the same architecture; "
      "new words and labels are added to its own. The same as --set train.from=DIR");
  command->add_flag("--resume", flags->resume, "Resume a stopped run");
  command->callback([flags] { train(*flags); });
}

}  // namespace fastformer::cli

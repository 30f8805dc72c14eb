#include <ATen/Parallel.h>

#include <iostream>
#include <memory>
#include <optional>

#include "fastformer/base/atomic_file.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/progress.h"
#include "fastformer/data/dataset.h"
#include "fastformer/nn/precision.h"
#include "fastformer/tasks/evaluation.h"
#include "fastformer/tasks/model_directory.h"
#include "fastformer/train/recipe.h"
#include "fastformer/train/run_directory.h"
#include "fastformer/train/trainer.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

struct TrainFlags {
  fs::path recipe, output;
  std::vector<std::string> set;
  bool resume = false;
};

std::string model_card(const train::Recipe& recipe, const data::Dataset& dataset,
                       const train::TrainingState& state,
                       const std::optional<tasks::Evaluation>& test) {
  std::string card =
      "# Text classifier\n\nA Fastformer (arXiv 2108.09084) trained by `fastformer "
      "train`.\n\n## Data\n\n```\n" +
      dataset.summary() + "```\n\n## Metrics\n\n";
  if (state.best_step >= 0) {
    card += "Best validation " + recipe.train.metric + ": " +
            std::to_string(recipe.train.metric == "loss" ? -state.best_metric : state.best_metric) +
            " at step " + std::to_string(state.best_step) + " of " + std::to_string(state.step) +
            ".\n\n";
  }
  if (test)
    card += "Test part:\n\n```\n" + tasks::evaluation_table(*test, dataset.labels) + "```\n\n";
  return card + "## Recipe\n\n```toml\n" + recipe.tree().to_toml() + "```\n";
}

void finish(const train::Recipe& recipe, const data::Dataset& dataset,
            const train::Trainer& trainer, const train::RunDirectory& run) {
  std::optional<tasks::Evaluation> test;
  if (dataset.test.size() > 0) {
    test = tasks::evaluate(trainer.model(), dataset.test);
    std::cout << "test\n" << tasks::evaluation_table(*test, dataset.labels);
    base::write_file_atomically(run.path() / "test.json",
                                tasks::evaluation_json(*test, dataset.labels) + "\n");
  }
  const tasks::ClassifierFormat format{.labels = dataset.labels,
                                       .max_tokens = recipe.data.max_tokens};
  tasks::save_model(run.model(), format, recipe.data, *dataset.tokenizer, trainer.model(),
                    model_card(recipe, dataset, trainer.state(), test));
  std::cout << "model " << run.model().string() << std::endl;
}

void train(const TrainFlags& flags) {
  const auto recipe = train::Recipe::load(flags.recipe, flags.set);
  const auto folder = flags.output.empty() ? fs::path("runs") / flags.recipe.stem() : flags.output;
  nn::set_precision(recipe.train.precision);
  if (recipe.train.threads > 0) at::set_num_threads(static_cast<int>(recipe.train.threads));
  train::RunDirectory run(folder, recipe, flags.resume);
  const auto dataset = data::prepare(recipe.data, recipe.text, run.cache());
  std::cout << dataset.summary() << std::flush;
  const train::StopSignal stop;
  train::CheckpointFolder checkpoints(run.checkpoints());
  Progress progress;
  train::Trainer trainer(recipe, dataset, checkpoints, {&progress, &run}, flags.resume);
  run.begin(trainer.state().step);
  if (!trainer.run(stop)) {
    throw Stopped("stopped at step " + std::to_string(trainer.state().step) + " of " +
                  std::to_string(trainer.total_steps()) + ", all is saved; go on with --resume");
  }
  finish(recipe, dataset, trainer, run);
}

}  // namespace

void add_train_command(CLI::App& app) {
  const auto flags = std::make_shared<TrainFlags>();
  auto* command = app.add_subcommand("train", "Train a model as a recipe says");
  command->add_option("recipe", flags->recipe, "A TOML file; see recipes/")->required();
  command->add_option("--set", flags->set, "Override a field: section.key=value")
      ->type_name("KEY=VALUE");
  command->add_option("--output", flags->output, "Folder of the run (default: runs/<recipe>)");
  command->add_flag("--resume", flags->resume, "Go on with a run that was stopped");
  command->callback([flags] { train(*flags); });
}

}  // namespace fastformer::cli

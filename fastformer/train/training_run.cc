#include "fastformer/train/training_run.h"

#include <ATen/Parallel.h>

#include <string>
#include <utility>

#include "fastformer/nn/parameter_count.h"
#include "fastformer/nn/precision.h"

namespace fastformer::train {
namespace {

namespace fs = std::filesystem;

// 0 stands for as many as the process began with: a run before this one may have changed it.
void set_threads(std::int64_t threads) {
  static const int all = at::get_num_threads();
  if (threads > 0) {
    at::set_num_threads(static_cast<int>(threads));
  } else if (at::get_num_threads() != all) {
    at::set_num_threads(all);
  }
}

std::unique_ptr<TrainingTask> open(const Recipe& recipe, const RunDirectory& directory,
                                   const fs::path& cache) {
  nn::set_precision(recipe.train.precision);
  set_threads(recipe.train.threads);
  const bool elsewhere = directory.names_no_cache() && !cache.empty();
  return open_task(recipe, elsewhere ? cache : directory.cache());
}

double best_validation(const Recipe& recipe, const TrainingState& state) {
  return recipe.train.metric == "loss" ? -state.best_metric : state.best_metric;
}

std::string model_card(const Recipe& recipe, const TrainingTask& task, const TrainingState& state,
                       const TestReport& test) {
  std::string card = "# " + task.title() +
                     "\n\nTrained by `fastformer train`.\n\n## Data\n\n```\n" + task.summary() +
                     "```\n\n## Metrics\n\n";
  if (state.best_step >= 0) {
    card += "Best validation " + recipe.train.metric + ": " +
            std::to_string(best_validation(recipe, state)) + " at step " +
            std::to_string(state.best_step) + " of " + std::to_string(state.step) + ".\n\n";
  }
  if (test.documents > 0) card += "Test part:\n\n```\n" + test.table + "```\n\n";
  return card + "## Recipe\n\n```toml\n" + recipe.tree().to_toml() + "```\n";
}

}  // namespace

TrainingRun::TrainingRun(const Recipe& recipe, const fs::path& folder, const RunOptions& options)
    : recipe_(recipe),
      options_(options),
      directory_(folder, recipe_, options.resume),
      task_(open(recipe_, directory_, options.cache)),
      checkpoints_(directory_.checkpoints()) {}

bool TrainingRun::train(const StopSignal& stop, std::vector<Observer*> observers) {
  observers.push_back(&directory_);
  trainer_.emplace(recipe_.train, *task_, checkpoints_, std::move(observers), options_.resume);
  directory_.begin(trainer_->state().step);
  return trainer_->run(stop);
}

TrainingRun::Finished TrainingRun::finish() {
  Finished finished{.test = task_->test(directory_.path())};
  if (options_.keep_model) {
    task_->save_model(directory_.model(),
                      model_card(recipe_, *task_, trainer_->state(), finished.test));
  }
  finished.result = result(finished.test);
  write_run_result(directory_.path() / kResultFile, finished.result);
  return finished;
}

RunResult TrainingRun::result(const TestReport& test) const {
  const auto& state = trainer_->state();
  const auto count = nn::count_of(task_->parameters());
  RunResult result{.steps = state.step,
                   .training_seconds = state.seconds,
                   .parameters = count.all,
                   .encoder_parameters = count.outside_tables,
                   .metric = recipe_.train.metric,
                   .best_step = state.best_step,
                   .best_validation = best_validation(recipe_, state)};
  if (test.documents > 0) result.test = TestScores{test.documents, test.scores, test.baselines};
  return result;
}

}  // namespace fastformer::train

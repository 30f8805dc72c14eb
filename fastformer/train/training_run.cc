#include "fastformer/train/training_run.h"

#include <string>
#include <utility>

#include "fastformer/kernels/parallel.h"
#include "fastformer/metrics/scores.h"
#include "fastformer/nn/parameter_store.h"

namespace fastformer::train {
namespace {

namespace fs = std::filesystem;

kernels::ComputeScope scope_of(const Recipe& recipe) {
  return kernels::ComputeScope(recipe.train.precision, recipe.train.threads);
}

std::unique_ptr<Task> open(const Recipe& recipe, RunDirectory& directory,
                           const RunOptions& options) {
  const auto scope = scope_of(recipe);
  const bool elsewhere = directory.names_no_cache() && !options.cache.empty();
  auto task = recipe.open(elsewhere ? options.cache : directory.cache(), options.notice);
  directory.set_prepared(task->prepared());
  return task;
}

double best_validation(const Recipe& recipe, const TrainingState& state) {
  return metrics::is_share(recipe.train.metric) ? state.best_metric : -state.best_metric;
}

std::int64_t refit_steps(const TrainingState& state) {
  return state.refitting() ? state.step - state.refit_from : 0;
}

std::string model_card(const Recipe& recipe, const Task& task, const TrainingState& state,
                       const TestReport& test) {
  std::string card = "# " + task.title() +
                     "\n\nTrained by `fastformer train`.\n\n## Data\n\n```\n" + task.summary() +
                     "```\n\n## Metrics\n\n";
  if (state.best_step >= 0) {
    card += "Best validation " + recipe.train.metric + ": " +
            std::to_string(best_validation(recipe, state)) + " at step " +
            std::to_string(state.best_step) + " of " +
            std::to_string(state.refitting() ? state.refit_from : state.step) + ".\n\n";
  }
  if (state.refitting()) {
    card += "Then trained again on the training and the validation part, for " +
            std::to_string(refit_steps(state)) + " steps.\n\n";
  }
  if (test.items > 0) card += "Test part:\n\n```\n" + test.table + "```\n\n";
  return card + "## Recipe\n\n```toml\n" + recipe.tree().without_folders().to_toml() + "```\n";
}

}  // namespace

TrainingRun::TrainingRun(const Recipe& recipe, const fs::path& folder, const RunOptions& options)
    : recipe_(recipe),
      options_(options),
      directory_(folder, recipe_, options.resume),
      task_(open(recipe_, directory_, options)),
      checkpoints_(directory_.checkpoints()) {}

bool TrainingRun::train(std::vector<Observer*> observers, const std::function<bool()>& stop) {
  const auto scope = scope_of(recipe_);
  observers.push_back(&directory_);
  trainer_.emplace(recipe_.train, *task_,
                   Trainer::Options{.checkpoints = &checkpoints_,
                                    .observers = std::move(observers),
                                    .resume = options_.resume});
  directory_.begin(trainer_->state().step);
  return trainer_->run(stop);
}

TrainingRun::Finished TrainingRun::finish() {
  const auto scope = scope_of(recipe_);
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
                   .best_validation = best_validation(recipe_, state),
                   .refit_steps = refit_steps(state)};
  if (test.items > 0) result.test = TestScores{test.items, test.scores, test.baselines};
  return result;
}

fs::path train_in(const Recipe& recipe, const fs::path& folder, Observer* observer) {
  TrainingRun run(recipe, folder, {.notice = notices_to(observer)});
  run.train(observer_list(observer));
  run.finish();
  return run.directory().model();
}

}  // namespace fastformer::train

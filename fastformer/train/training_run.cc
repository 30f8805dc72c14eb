#include "fastformer/train/training_run.h"

#include <ATen/Parallel.h>

#include <string>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/nn/precision.h"
#include "fastformer/tasks/model_directory.h"
#include "fastformer/train/test_predictions.h"

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

data::Dataset prepare(const Recipe& recipe, const RunDirectory& directory, const fs::path& cache) {
  nn::set_precision(recipe.train.precision);
  set_threads(recipe.train.threads);
  const bool elsewhere = recipe.data.cache.empty() && !cache.empty();
  return data::prepare(recipe.data, recipe.text, elsewhere ? cache : directory.cache());
}

double best_validation(const Recipe& recipe, const TrainingState& state) {
  return recipe.train.metric == "loss" ? -state.best_metric : state.best_metric;
}

std::string model_card(const Recipe& recipe, const data::Dataset& dataset,
                       const TrainingState& state, const std::optional<tasks::Evaluation>& test) {
  std::string card = "# Text classifier\n\nTrained by `fastformer train` with the token mixer `" +
                     recipe.model.encoder.mixer + "` (arXiv 2108.09084).\n\n## Data\n\n```\n" +
                     dataset.summary() + "```\n\n## Metrics\n\n";
  if (state.best_step >= 0) {
    card += "Best validation " + recipe.train.metric + ": " +
            std::to_string(best_validation(recipe, state)) + " at step " +
            std::to_string(state.best_step) + " of " + std::to_string(state.step) + ".\n\n";
  }
  if (test) {
    card += "Test part:\n\n```\n" + tasks::evaluation_table(*test, dataset.labels) + "```\n\n";
  }
  return card + "## Recipe\n\n```toml\n" + recipe.tree().to_toml() + "```\n";
}

}  // namespace

TrainingRun::TrainingRun(const Recipe& recipe, const fs::path& folder, const RunOptions& options)
    : recipe_(recipe),
      options_(options),
      directory_(folder, recipe_, options.resume),
      dataset_(prepare(recipe_, directory_, options.cache)),
      checkpoints_(directory_.checkpoints()) {}

bool TrainingRun::train(const StopSignal& stop, std::vector<Observer*> observers) {
  observers.push_back(&directory_);
  trainer_.emplace(recipe_, dataset_, checkpoints_, std::move(observers), options_.resume);
  directory_.begin(trainer_->state().step);
  return trainer_->run(stop);
}

TrainingRun::Finished TrainingRun::finish() {
  Finished finished;
  if (dataset_.test.size() > 0) {
    finished.test = tasks::evaluate(trainer_->model(), dataset_.test);
    save_test(*finished.test);
  }
  if (options_.keep_model) save_model(finished.test);
  finished.result = result(finished.test);
  write_run_result(directory_.path() / kResultFile, finished.result);
  return finished;
}

RunResult TrainingRun::result(const std::optional<tasks::Evaluation>& test) const {
  const auto& state = trainer_->state();
  RunResult result{.steps = state.step,
                   .training_seconds = state.seconds,
                   .metric = recipe_.train.metric,
                   .best_step = state.best_step,
                   .best_validation = best_validation(recipe_, state)};
  for (const auto& [name, weight] : trainer_->model().parameters()) {
    result.parameters += weight.numel();
    if (!name.starts_with("embedding.")) result.encoder_parameters += weight.numel();
  }
  if (test) {
    result.test = TestScores{.documents = test->confusion.total(),
                             .accuracy = test->confusion.accuracy(),
                             .macro_f1 = test->confusion.macro_f1(),
                             .loss = test->loss};
  }
  return result;
}

void TrainingRun::save_test(const tasks::Evaluation& test) const {
  base::write_file_atomically(directory_.path() / kTestFile,
                              tasks::evaluation_json(test, dataset_.labels) + "\n");
  TestPredictions predictions{.predicted = test.predicted};
  for (std::int64_t row = 0; row < dataset_.test.size(); ++row) {
    predictions.labels.push_back(dataset_.test.label(row));
  }
  write_predictions(directory_.path() / kPredictionsFile, predictions);
}

void TrainingRun::save_model(const std::optional<tasks::Evaluation>& test) const {
  const tasks::ClassifierFormat format{.labels = dataset_.labels,
                                       .max_tokens = recipe_.data.max_tokens};
  tasks::save_model(directory_.model(), format, recipe_.data, *dataset_.tokenizer,
                    trainer_->model(), model_card(recipe_, dataset_, trainer_->state(), test));
}

}  // namespace fastformer::train

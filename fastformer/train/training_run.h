#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "fastformer/train/checkpoint.h"
#include "fastformer/train/observer.h"
#include "fastformer/train/recipe.h"
#include "fastformer/train/run_directory.h"
#include "fastformer/train/run_result.h"
#include "fastformer/train/stop_signal.h"
#include "fastformer/train/trainer.h"
#include "fastformer/train/training_task.h"

namespace fastformer::train {

struct RunOptions {
  bool resume = false;
  bool keep_model = true;       ///< write the model directory
  std::filesystem::path cache;  ///< of the tokens, where the recipe names none; empty: in the run
};

/// One training from the data to the finished model, in a run directory.
///
///   TrainingRun run(recipe, "runs/reviews", {.resume = false});
///   if (run.train(stop, {&progress})) use(run.finish());
class TrainingRun {
 public:
  struct Finished {
    RunResult result;
    TestReport test;
  };

  /// Takes the folder, prepares the data, and gives the process the recipe's precision and number
  /// of threads. Throws as RunDirectory and open_task() do.
  TrainingRun(const Recipe& recipe, const std::filesystem::path& folder,
              const RunOptions& options = {});
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  const TrainingTask& task() const { return *task_; }
  const RunDirectory& directory() const { return directory_; }

  /// Trains to the end: true. False when `stop` asked for it, after a checkpoint; then step() and
  /// total_steps() tell where. Throws as Trainer does.
  bool train(const StopSignal& stop, std::vector<Observer*> observers);
  std::int64_t step() const { return trainer_->state().step; }
  std::int64_t total_steps() const { return trainer_->total_steps(); }

  /// Measures the model on the test part and writes all that a finished run leaves, result.json
  /// last. For after train() gave true.
  Finished finish();

 private:
  RunResult result(const TestReport& test) const;

  Recipe recipe_;
  RunOptions options_;
  RunDirectory directory_;
  std::unique_ptr<TrainingTask> task_;
  CheckpointFolder checkpoints_;
  std::optional<Trainer> trainer_;
};

}  // namespace fastformer::train

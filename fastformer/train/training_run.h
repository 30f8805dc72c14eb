#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "fastformer/train/checkpoint.h"
#include "fastformer/train/observer.h"
#include "fastformer/train/recipe.h"
#include "fastformer/train/run_directory.h"
#include "fastformer/train/run_result.h"
#include "fastformer/train/task.h"
#include "fastformer/train/trainer.h"

namespace fastformer::train {

struct RunOptions {
  bool resume = false;
  bool keep_model = true;       ///< write the model directory
  std::filesystem::path cache;  ///< for data if the recipe names no folder; empty: in the run
  data::Notice notice;          ///< receives sentences for the user while the data is prepared
};

/// A training run in a run directory, from the data to the finished model.
///
///   TrainingRun run(recipe, "runs/reviews", {.resume = false});
///   if (run.train({&progress}, [&] { return signal.requested(); })) use(run.finish());
class TrainingRun {
 public:
  struct Finished {
    RunResult result;
    TestReport test;
  };

  /// Locks the folder and prepares the data. `recipe` must outlive the object. The run uses the
  /// precision and number of threads of the recipe. Throws as RunDirectory and Recipe::open() do.
  TrainingRun(const Recipe& recipe, const std::filesystem::path& folder,
              const RunOptions& options = {});
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  const Task& task() const { return *task_; }
  const RunDirectory& directory() const { return directory_; }

  /// See Trainer::run(). After false, step() and total_steps() report where it stopped.
  bool train(std::vector<Observer*> observers, const std::function<bool()>& stop = {});
  std::int64_t step() const { return trainer_->state().step; }
  std::int64_t total_steps() const { return trainer_->total_steps(); }

  /// Evaluates the model on the test part and writes the files of a finished run, result.json last.
  /// Call it after train() has returned true.
  Finished finish();

 private:
  RunResult result(const TestReport& test) const;

  const Recipe& recipe_;
  RunOptions options_;
  RunDirectory directory_;
  std::unique_ptr<Task> task_;
  CheckpointFolder checkpoints_;
  std::optional<Trainer> trainer_;
};

/// Trains from start to end as the recipe says, in the run directory `folder`; `observer` may be
/// null. Returns the model directory. Throws as TrainingRun does.
std::filesystem::path train_in(const Recipe& recipe, const std::filesystem::path& folder,
                               Observer* observer);

}  // namespace fastformer::train

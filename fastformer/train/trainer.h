#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/train/adam.h"
#include "fastformer/train/checkpoint.h"
#include "fastformer/train/observer.h"
#include "fastformer/train/stop_signal.h"
#include "fastformer/train/train_config.h"
#include "fastformer/train/training_task.h"

namespace fastformer::train {

/// Trains the model of a task.
///
///   const auto task = open_task(recipe, cache);
///   Trainer trainer(recipe.train, *task, checkpoints, {&progress}, /*resume=*/false);
///   if (trainer.run(stop)) use(task->parameters());
///
/// The weights after a step depend on the recipe and the data alone: order and dropout come from
/// the seed and the number of the step, so that a run that was killed and resumed ends bit for bit
/// where it would have ended (on one machine, with one number of threads).
class Trainer {
 public:
  /// With `resume` the run goes on from the newest whole checkpoint, from the start if there is
  /// none. Throws std::invalid_argument when the checkpoint belongs to another model.
  Trainer(const TrainConfig& config, TrainingTask& task, CheckpointFolder& checkpoints,
          std::vector<Observer*> observers, bool resume);

  /// Trains to the end: true. False when `stop` asked for it, after a checkpoint. Throws
  /// std::runtime_error naming step, learning rate and last checkpoint when the loss is not finite.
  /// The model has the weights of the best evaluation then, or the last ones without validation.
  bool run(const StopSignal& stop);

  const TrainingState& state() const { return state_; }
  std::int64_t total_steps() const { return total_steps_; }

 private:
  bool load_checkpoint();
  void notify(const std::string& notice) const;
  std::int64_t count_steps() const;
  bool finished() const;
  bool run_epoch(const StopSignal& stop);
  void step(std::int64_t batches);
  double accumulate(std::int64_t index, std::int64_t batches);
  void check_finite(double loss, double learning_rate) const;
  double learning_rate() const;
  void after_step(bool end_of_epoch);
  void evaluate();
  void save_checkpoint();

  TrainConfig config_;
  TrainingTask& task_;
  CheckpointFolder& checkpoints_;
  std::vector<Observer*> observers_;
  Adam adam_;
  TrainingState state_;
  std::int64_t total_steps_;
};

}  // namespace fastformer::train

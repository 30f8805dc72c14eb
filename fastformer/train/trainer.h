#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "fastformer/nn/parameter_store.h"
#include "fastformer/train/checkpoint.h"
#include "fastformer/train/observer.h"
#include "fastformer/train/optimizer/adam.h"
#include "fastformer/train/task.h"
#include "fastformer/train/train_config.h"

namespace fastformer::train {

/// Trains the model of a task.
///
///   const auto task = recipe.open(cache);
///   Trainer trainer(recipe.train, *task, {.checkpoints = &checkpoints, .observers = {&progress}});
///   if (trainer.run()) use(task->parameters());
///
/// The weights after a step depend only on the recipe and the data: the order of batches and
/// dropout depend only on the seed and the number of the step. So a run that is killed and resumed
/// ends with the same bits (on the same machine, with the same number of threads), unless
/// train.max_minutes limits the time.
class Trainer {
 public:
  struct Options {
    CheckpointFolder* checkpoints = nullptr;  ///< null: the best weights are kept in memory
    std::vector<Observer*> observers = {};
    bool resume = false;  ///< from the newest undamaged checkpoint, if there is one
  };

  /// Throws std::invalid_argument if the checkpoint belongs to another model.
  Trainer(const TrainConfig& config, Task& task, Options options);

  /// Trains to the end and returns true; the model then has the weights of the best evaluation, or
  /// the last ones if there is no validation part. If the task refits, refit() follows. If `stop`
  /// returns true between two steps, saves a checkpoint and returns false. Throws
  /// std::runtime_error naming step, learning rate and last checkpoint if the loss is not finite.
  bool run(const std::function<bool()>& stop = {});

  /// After run(), trains a new model on the training and the validation part: for as many steps as
  /// the best evaluation had, over which the learning rate follows its whole schedule. Does nothing
  /// if nothing was evaluated.
  /// Returns and throws as run() does.
  bool refit(const std::function<bool()>& stop = {});

  /// Gives the model the weights of the best evaluation, which there must be.
  void use_best();

  const TrainingState& state() const { return state_; }
  /// With a limit of time, those that are expected.
  std::int64_t total_steps() const;

 private:
  bool load_checkpoint();
  nn::ParameterMap best_weights() const;
  void begin_refit();
  void warn_of_chance() const;
  bool train(const std::function<bool()>& stop);
  void notify(const std::string& notice) const;
  std::int64_t count_steps() const;
  double time_used() const;
  bool out_of_time() const;
  bool finished() const;
  bool run_epoch(const std::function<bool()>& stop);
  void step(std::int64_t batches);
  double accumulate(std::int64_t index, std::int64_t batches);
  void check_finite(double loss, double learning_rate) const;
  double learning_rate() const;
  void after_step(bool end_of_epoch);
  void evaluate();
  void save_checkpoint();

  TrainConfig config_;
  Task& task_;
  CheckpointFolder* checkpoints_;
  nn::ParameterMap kept_weights_;  ///< of the best evaluation, without a checkpoint folder
  std::vector<Observer*> observers_;
  Adam adam_;
  TrainingState state_;
  double mean_loss_ = 0;                                         ///< of the last steps
  double least_loss_ = std::numeric_limits<double>::infinity();  ///< of the evaluations
  std::int64_t total_steps_;  ///< with those of the second training, once it has begun
};

}  // namespace fastformer::train

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "fastformer/data/batch_loader.h"
#include "fastformer/data/dataset.h"
#include "fastformer/tasks/classification_loss.h"
#include "fastformer/tasks/text_classifier.h"
#include "fastformer/train/adam.h"
#include "fastformer/train/checkpoint.h"
#include "fastformer/train/observer.h"
#include "fastformer/train/recipe.h"
#include "fastformer/train/stop_signal.h"

namespace fastformer::train {

/// Trains a text classifier.
///
///   Trainer trainer(recipe, dataset, checkpoints, {&progress});
///   if (trainer.run(stop)) use(trainer.model());
///
/// The weights after a step depend on the recipe and the data alone: order and dropout come from
/// the seed and the number of the step, so that a run that was killed and resumed ends bit for bit
/// where it would have ended (on one machine, with one number of threads).
class Trainer {
 public:
  /// With `resume` the run goes on from the newest whole checkpoint, from the start if there is
  /// none. Throws std::invalid_argument when there is no training document or the checkpoint
  /// belongs to another model.
  Trainer(const Recipe& recipe, const data::Dataset& dataset, CheckpointFolder& checkpoints,
          std::vector<Observer*> observers, bool resume);

  /// Trains to the end: true. False when `stop` asked for it, after a checkpoint. Throws
  /// std::runtime_error naming step, learning rate and last checkpoint when the loss is not finite.
  /// The model has the weights of the best evaluation then, or the last ones without validation.
  bool run(const StopSignal& stop);

  const tasks::TextClassifier& model() const { return model_; }
  const TrainingState& state() const { return state_; }
  std::int64_t total_steps() const { return total_steps_; }

 private:
  using Plan = std::vector<std::vector<std::int64_t>>;

  bool load_checkpoint();
  void load_word_vectors();
  void notify(const std::string& notice) const;
  Plan plan(std::int64_t epoch) const;
  std::int64_t count_steps() const;
  bool finished() const;
  bool run_epoch(const StopSignal& stop);
  void step(data::BatchLoader& loader, std::int64_t batches);
  double accumulate(const data::RaggedBatch& batch, std::int64_t index, std::int64_t batches);
  void check_finite(double loss, double learning_rate) const;
  double learning_rate() const;
  void after_step(bool end_of_epoch);
  void evaluate();
  void save_checkpoint();

  const Recipe& recipe_;
  const data::Dataset& dataset_;
  CheckpointFolder& checkpoints_;
  std::vector<Observer*> observers_;
  tasks::TextClassifier model_;
  tasks::ClassificationLoss loss_;
  Adam adam_;
  TrainingState state_;
  std::int64_t total_steps_;
};

}  // namespace fastformer::train

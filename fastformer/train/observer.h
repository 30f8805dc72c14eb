#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "fastformer/tasks/scores.h"

namespace fastformer::train {

/// One step of a training run. `step` counts from 1.
struct StepReport {
  std::int64_t step, total_steps, epoch, epochs;
  double loss;  ///< of this step's batches, in nats
  double learning_rate;
  double gradient_norm;  ///< before clipping; 0 when clipping is off
  std::int64_t tokens;   ///< of this step's batches
};

/// One evaluation on the validation part.
struct EvaluationReport {
  std::int64_t step, epoch;
  tasks::Scores scores;
  bool best;  ///< better than all before
};

/// Is told what happens while a model is trained.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_step(const StepReport&) {}
  virtual void on_evaluation(const EvaluationReport&) {}
  /// A sentence for the user: a checkpoint that could not be read, a run that was stopped.
  virtual void on_notice(const std::string&) {}
};

}  // namespace fastformer::train

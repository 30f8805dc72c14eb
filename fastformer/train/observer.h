#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fastformer/metrics/scores.h"

namespace fastformer::train {

/// One step of a training run. `step` counts from 1.
struct StepReport {
  std::int64_t step, total_steps, epoch, epochs;
  double loss;  ///< of this step's batches, in nats
  double learning_rate;
  double gradient_norm;  ///< before clipping; 0 if clipping is off
  std::int64_t tokens;   ///< of this step's batches
};

/// One measurement on the validation part.
struct ValidationReport {
  std::int64_t step, epoch;
  metrics::Scores scores;
  bool best;  ///< better than all earlier ones
};

/// Receives training progress callbacks.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_step(const StepReport&) {}
  virtual void on_validation(const ValidationReport&) {}
  /// A sentence for the user: a checkpoint that could not be read, a run that was stopped.
  virtual void on_notice(const std::string&) {}
};

/// Takes sentences for an observer, which may be null.
inline std::function<void(const std::string&)> notices_to(Observer* observer) {
  return [observer](const std::string& notice) {
    if (observer != nullptr) observer->on_notice(notice);
  };
}

/// For callers with at most one observer, which may be null.
inline std::vector<Observer*> observer_list(Observer* observer) {
  return observer == nullptr ? std::vector<Observer*>() : std::vector<Observer*>{observer};
}

}  // namespace fastformer::train

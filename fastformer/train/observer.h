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
  double loss;  ///< mean loss of the step's batches, in nats
  double learning_rate;
  double gradient_norm;  ///< global L2 norm before clipping; 0 if clipping is off
  std::int64_t tokens;   ///< number of tokens in the step's batches
};

/// One evaluation on the validation part.
struct ValidationReport {
  std::int64_t step, epoch;
  metrics::Scores scores;
  bool best;  ///< whether it is better than all earlier ones
};

/// Callbacks for the progress of training; by default they do nothing.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_step(const StepReport&) {}
  virtual void on_validation(const ValidationReport&) {}
  /// Receives one sentence for the user, such as: a checkpoint is damaged, the run was stopped.
  virtual void on_notice(const std::string&) {}
};

/// A function that passes sentences on to an observer, which may be null.
inline std::function<void(const std::string&)> notices_to(Observer* observer) {
  return [observer](const std::string& notice) {
    if (observer != nullptr) observer->on_notice(notice);
  };
}

/// A list with the observer, or an empty list if it is null.
inline std::vector<Observer*> observer_list(Observer* observer) {
  return observer == nullptr ? std::vector<Observer*>() : std::vector<Observer*>{observer};
}

}  // namespace fastformer::train

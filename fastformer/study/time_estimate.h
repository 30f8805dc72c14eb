#pragma once

#include <optional>
#include <vector>

#include "fastformer/study/experiment.h"

namespace fastformer::study {

/// Guesses how long cells will take from those that are done: from the same variant on the same
/// data, else from other variants on that data, else from all.
class TimeEstimate {
 public:
  void add(const Cell& cell, double seconds) { done_.push_back({&cell, seconds}); }

  /// Seconds for all of the cells together; nothing while no cell is done.
  std::optional<double> seconds_for(const std::vector<const Cell*>& cells) const;

 private:
  struct Done {
    const Cell* cell;
    double seconds;
  };
  double seconds_of(const Cell& cell) const;

  std::vector<Done> done_;
};

}  // namespace fastformer::study

#pragma once

#include <optional>
#include <vector>

#include "fastformer/study/experiment.h"

namespace fastformer::study {

/// Estimates the time of cells from finished ones: of the same variant on the same data, else of
/// other variants on that data, else of all.
class TimeEstimate {
 public:
  void add(const Cell& cell, double seconds) { done_.push_back({&cell, seconds}); }

  /// Total seconds for the cells; empty if no cell is finished.
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

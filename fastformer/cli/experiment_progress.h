#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "fastformer/train/experiment_runner.h"
#include "fastformer/train/time_estimate.h"

namespace fastformer::cli {

/// Shows an experiment on the standard error: a line a cell, and where that is a terminal, below
/// them a line that is rewritten while a cell is trained.
class ExperimentProgress final : public train::ExperimentObserver {
 public:
  /// Of those cells; the finished ones among them tell how long the others will take. Of each the
  /// scores `metrics` are shown.
  ExperimentProgress(std::vector<const train::Cell*> cells, std::vector<std::string> metrics);

  void on_cell_begin(const train::Cell& cell, train::CellState state) override;
  void on_cell_end(const train::Cell& cell, const train::RunResult& result) override;
  void on_cell_in_use(const train::Cell& cell) override;
  void on_cell_failure(const train::Cell& cell, const std::string& reason) override;
  void on_step(const train::StepReport& report) override;
  void on_notice(const std::string& notice) override;

 private:
  using Clock = std::chrono::steady_clock;

  void show(const std::string& text) const;
  std::string place_of(const train::Cell& cell) const;
  std::string time_left(double cell_seconds) const;

  bool terminal_;
  std::vector<const train::Cell*> cells_, waiting_;  ///< waiting: neither done nor at work
  std::vector<std::string> metrics_;
  train::TimeEstimate estimate_;
  const train::Cell* current_ = nullptr;
  bool resumed_ = false;
  Clock::time_point started_, shown_;
  std::int64_t steps_ = 0;  ///< of the current cell, in this process
};

}  // namespace fastformer::cli

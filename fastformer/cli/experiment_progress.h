#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "fastformer/study/experiment_runner.h"
#include "fastformer/study/time_estimate.h"

namespace fastformer::cli {

/// Shows an experiment on the standard error: a line per cell, and on a terminal a last line that
/// is rewritten while a cell is trained.
class ExperimentProgress final : public study::ExperimentObserver {
 public:
  /// Progress of `cells`; finished cells give the estimate for the others. Shows the scores
  /// `metrics` of each.
  ExperimentProgress(std::vector<const study::Cell*> cells, std::vector<std::string> metrics);

  void on_cell_begin(const study::Cell& cell, study::CellState state) override;
  void on_cell_end(const study::Cell& cell, const train::RunResult& result) override;
  void on_cell_in_use(const study::Cell& cell) override;
  void on_cell_failure(const study::Cell& cell, const std::string& reason) override;
  void on_step(const train::StepReport& report) override;
  void on_notice(const std::string& notice) override;

 private:
  using Clock = std::chrono::steady_clock;

  void show(const std::string& text) const;
  std::string place_of(const study::Cell& cell) const;
  std::string time_left(double cell_seconds) const;

  bool terminal_;
  std::vector<const study::Cell*> cells_, waiting_;  ///< waiting: neither finished nor running
  std::vector<std::string> metrics_;
  study::TimeEstimate estimate_;
  const study::Cell* current_ = nullptr;
  bool resumed_ = false;
  Clock::time_point started_, shown_;
  std::int64_t steps_ = 0;  ///< of the current cell, in this process
};

}  // namespace fastformer::cli

#include "fastformer/cli/experiment_progress.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "fastformer/base/format.h"
#include "fastformer/cli/terminal_output.h"

namespace fastformer::cli {
namespace {

double seconds_since(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - time).count();
}

}  // namespace

ExperimentProgress::ExperimentProgress(std::vector<const study::Cell*> cells,
                                       std::vector<std::string> metrics)
    : terminal_(isatty(STDERR_FILENO) != 0),
      cells_(std::move(cells)),
      metrics_(std::move(metrics)) {
  for (const auto* cell : cells_) {
    const auto status = study::status_of(*cell);
    if (status.result) {
      estimate_.add(*cell, status.result->training_seconds);
    } else {
      waiting_.push_back(cell);
    }
  }
  const auto finished = cells_.size() - waiting_.size();
  show(base::format("%zu of %zu cells are finished, %zu remain%s", finished, cells_.size(),
                    waiting_.size(), time_left(0).c_str()));
}

void ExperimentProgress::show(const std::string& text) const {
  if (terminal_) std::cerr << "\r\x1b[K";
  log_line(text);
}

std::string ExperimentProgress::place_of(const study::Cell& cell) const {
  const auto place = std::find(cells_.begin(), cells_.end(), &cell) - cells_.begin() + 1;
  return base::format("[%ld/%zu] %s", place, cells_.size(), cell.name.c_str());
}

std::string ExperimentProgress::time_left(double cell_seconds) const {
  const auto seconds = estimate_.seconds_for(waiting_);
  if (!seconds || *seconds + cell_seconds == 0) return "";
  return "  about " + clock_text(*seconds + cell_seconds) + " left";
}

void ExperimentProgress::on_cell_begin(const study::Cell& cell, study::CellState state) {
  std::erase(waiting_, &cell);
  current_ = &cell;
  resumed_ = state == study::CellState::kInterrupted;
  started_ = shown_ = Clock::now();
  steps_ = 0;
  if (terminal_) std::cerr << "\r\x1b[K" << place_of(cell) << "  reading the data" << std::flush;
}

void ExperimentProgress::on_cell_end(const study::Cell& cell, const train::RunResult& result) {
  // Only the result includes the earlier time of a resumed cell.
  estimate_.add(cell, resumed_ ? result.training_seconds : seconds_since(started_));
  show(place_of(cell) + "  " + metrics::scores_text(result.test->scores, metrics_) +
       base::format("  %.1f s", result.training_seconds) + time_left(0));
}

void ExperimentProgress::on_cell_in_use(const study::Cell& cell) {
  show(place_of(cell) + "  is in use by another process, skipped");
}

void ExperimentProgress::on_cell_failure(const study::Cell& cell, const std::string& reason) {
  show(place_of(cell) + "  failed: " + reason);
}

void ExperimentProgress::on_step(const train::StepReport& report) {
  if (steps_++ == 0) started_ = Clock::now();
  if (!terminal_ || seconds_since(shown_) < 0.2) return;
  shown_ = Clock::now();
  const double per_step = seconds_since(started_) / static_cast<double>(steps_);
  const double cell_left = per_step * static_cast<double>(report.total_steps - report.step);
  const double done = static_cast<double>(report.step) / static_cast<double>(report.total_steps);
  std::cerr << "\r\x1b[K" << place_of(*current_) << ' ' << bar_text(done)
            << base::format("  step %ld/%ld  loss %.4f  cell %s", report.step, report.total_steps,
                            report.loss, clock_text(cell_left).c_str())
            << time_left(cell_left) << std::flush;
}

void ExperimentProgress::on_notice(const std::string& notice) {
  show((current_ == nullptr ? "" : place_of(*current_) + "  ") + notice);
}

}  // namespace fastformer::cli

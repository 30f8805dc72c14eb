#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "fastformer/train/observer.h"

namespace fastformer::cli {

/// Shows a training run on the standard error: a line that is rewritten when that is a terminal,
/// else a log line every ten seconds.
class Progress final : public train::Observer {
 public:
  Progress();
  void on_step(const train::StepReport& report) override;
  void on_validation(const train::ValidationReport& report) override;
  void on_notice(const std::string& notice) override;

 private:
  using Clock = std::chrono::steady_clock;

  std::string line(const train::StepReport& report, double seconds) const;
  void clear_line();

  bool terminal_;
  Clock::time_point started_, shown_;
  std::int64_t steps_ = 0, tokens_ = 0;
  double mean_loss_ = 0;  ///< exponential mean, so that the line does not flicker
  std::string metric_;    ///< the last evaluation
};

}  // namespace fastformer::cli

#pragma once

#include <chrono>
#include <cstddef>
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

/// How many records are done, on the standard error, for a person who waits for a file or a pipe.
class RecordCounter {
 public:
  /// `name`: what is counted, as "texts". Nothing is shown where the output itself is seen.
  RecordCounter(std::string name, bool output_is_seen);
  RecordCounter(const RecordCounter&) = delete;
  RecordCounter& operator=(const RecordCounter&) = delete;
  ~RecordCounter();

  void add(std::size_t records);

 private:
  using Clock = std::chrono::steady_clock;

  std::string name_;
  bool shown_, written_ = false;
  Clock::time_point started_;
  std::size_t count_ = 0;
  double next_ = 1;  ///< seconds from the start
};

}  // namespace fastformer::cli

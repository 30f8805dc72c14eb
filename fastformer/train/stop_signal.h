#pragma once

#include <csignal>

namespace fastformer::train {

/// While the object exists, SIGINT and SIGTERM request a stop instead of ending the process, so
/// that training can finish its step and save a checkpoint.
///
///   StopSignal stop;
///   while (!finished && !stop.requested()) train_one_step();
///
/// A second SIGINT ends the process by default action, for users who press Ctrl-C again to stop at
/// once. Repeated SIGTERM has no further effect. The destructor restores the former handlers.
/// signal() returns the reason of the stop.
class StopSignal {
 public:
  /// Throws std::logic_error while another object exists, std::system_error if the system reports
  /// an error.
  StopSignal();
  ~StopSignal();

  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool requested() const { return signal() != 0; }
  /// The last signal received (SIGINT, SIGTERM), 0 for none.
  int signal() const;

 private:
  struct sigaction interrupt_;  ///< the handlers from before
  struct sigaction terminate_;
};

}  // namespace fastformer::train

#pragma once

#include <csignal>
#include <vector>

namespace fastformer::train {

/// While an object exists, SIGINT, SIGTERM and SIGHUP (unless ignored, as under nohup) request a
/// stop instead of ending the process, so that training can finish its step and save a checkpoint.
///
///   StopSignal stop;
///   while (!finished && !stop.requested()) train_one_step();
///
/// A second SIGINT ends the process: a user who presses Ctrl-C again does not want to wait.
/// Repeated SIGTERM and SIGHUP have no further effect. The destructor restores the former handlers;
/// signal() tells a program why it was stopped.
class StopSignal {
 public:
  /// Throws std::logic_error if another object exists, std::system_error if a handler cannot be
  /// installed.
  StopSignal();
  ~StopSignal();

  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool requested() const { return signal() != 0; }
  /// The last signal received; 0: none.
  int signal() const;

 private:
  struct Handler {
    int signal;
    struct sigaction former;
  };
  void restore();

  std::vector<Handler> handlers_;  ///< the former handlers
};

}  // namespace fastformer::train

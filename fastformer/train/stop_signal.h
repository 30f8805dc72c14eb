#pragma once

#include <csignal>
#include <vector>

namespace fastformer::train {

/// While it lives, SIGINT, SIGTERM and SIGHUP (unless it is ignored, as under nohup) ask for a stop
/// instead of ending the process, so that training can finish its step and save a checkpoint.
///
///   StopSignal stop;
///   while (!finished && !stop.requested()) train_one_step();
///
/// A second SIGINT ends the process by default action: a user who presses Ctrl-C again does not
/// want to wait. The others may come as often as they like. The destructor restores the former
/// handlers; a program that must know why it stopped asks signal().
class StopSignal {
 public:
  /// Throws std::logic_error while another object exists, std::system_error if the system reports
  /// an error.
  StopSignal();
  ~StopSignal();

  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool requested() const { return signal() != 0; }
  /// The signal that came last, 0 for none.
  int signal() const;

 private:
  struct Handler {
    int signal;
    struct sigaction former;
  };
  void restore();

  std::vector<Handler> handlers_;  ///< from before
};

}  // namespace fastformer::train

#pragma once

#include <csignal>

namespace fastformer::train {

/// While it lives, SIGINT and SIGTERM ask for a stop instead of ending the process, so that
/// training can finish its step and save a checkpoint.
///
///   StopSignal stop;
///   while (!finished && !stop.requested()) train_one_step();
///
/// A second SIGINT ends the process by default action: whoever presses Ctrl-C again does not want
/// to wait. SIGTERM may come as often as it likes. The destructor restores the former handlers; a
/// program that must know why it stopped asks signal().
class StopSignal {
 public:
  /// Throws std::logic_error while another one lives, std::system_error when the system refuses.
  StopSignal();
  ~StopSignal();

  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool requested() const { return signal() != 0; }
  /// The signal that came last (SIGINT, SIGTERM), 0 for none.
  int signal() const;

 private:
  struct sigaction interrupt_;  ///< the handlers from before
  struct sigaction terminate_;
};

}  // namespace fastformer::train

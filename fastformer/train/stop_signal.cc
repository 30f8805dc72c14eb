#include "fastformer/train/stop_signal.h"

#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace fastformer::train {
namespace {

std::atomic<bool> installed{false};
std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler must not take a lock");

extern "C" void remember_signal(int number) { received.store(number, std::memory_order_relaxed); }

void install(int number, int flags, struct sigaction& former) {
  struct sigaction action = {};
  action.sa_handler = remember_signal;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  if (sigaction(number, &action, &former) != 0) {
    throw std::system_error(
        errno, std::generic_category(),
        "StopSignal: the handler of signal " + std::to_string(number) + " cannot be set");
  }
}

}  // namespace

StopSignal::StopSignal() {
  if (installed.exchange(true)) {
    throw std::logic_error("StopSignal: only one object may exist at a time");
  }
  received.store(0, std::memory_order_relaxed);
  try {
    // SA_RESTART keeps reads and writes in progress whole; SA_RESETHAND arms the second SIGINT.
    for (const auto& [number, flags] :
         {std::pair(SIGINT, SA_RESTART | static_cast<int>(SA_RESETHAND)),
          std::pair(SIGTERM, SA_RESTART), std::pair(SIGHUP, SA_RESTART)}) {
      struct sigaction former = {};
      sigaction(number, nullptr, &former);
      if (number == SIGHUP && former.sa_handler == SIG_IGN) continue;
      install(number, flags, former);
      handlers_.push_back({number, former});
    }
  } catch (...) {
    restore();
    throw;
  }
}

StopSignal::~StopSignal() { restore(); }

void StopSignal::restore() {
  for (const auto& handler : handlers_) sigaction(handler.signal, &handler.former, nullptr);
  installed.store(false);
}

int StopSignal::signal() const { return received.load(std::memory_order_relaxed); }

}  // namespace fastformer::train

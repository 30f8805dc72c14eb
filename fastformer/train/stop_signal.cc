#include "fastformer/train/stop_signal.h"

#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace fastformer::train {
namespace {

std::atomic<bool> installed{false};
std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may take no lock");

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

StopSignal::StopSignal() : interrupt_{}, terminate_{} {
  if (installed.exchange(true)) {
    throw std::logic_error("StopSignal: only one object may exist at a time");
  }
  received.store(0, std::memory_order_relaxed);
  try {
    // SA_RESTART keeps reads and writes in progress whole; SA_RESETHAND arms the second SIGINT.
    install(SIGINT, SA_RESTART | SA_RESETHAND, interrupt_);
    try {
      install(SIGTERM, SA_RESTART, terminate_);
    } catch (...) {
      sigaction(SIGINT, &interrupt_, nullptr);
      throw;
    }
  } catch (...) {
    installed.store(false);
    throw;
  }
}

StopSignal::~StopSignal() {
  sigaction(SIGTERM, &terminate_, nullptr);
  sigaction(SIGINT, &interrupt_, nullptr);
  installed.store(false);
}

int StopSignal::signal() const { return received.load(std::memory_order_relaxed); }

}  // namespace fastformer::train

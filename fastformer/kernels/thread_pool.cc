#include "fastformer/kernels/thread_pool.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>

#include "fastformer/base/library_threads.h"
#include "fastformer/base/usable_cores.h"

namespace fastformer::kernels {
namespace {

// Longer than most gaps between the loops of a training step, shorter than a time slice of the
// scheduler.
constexpr std::chrono::microseconds kSpin{100};

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Whether `is_true` came true within kSpin.
template <class Condition>
bool spin_until(const Condition& is_true) {
  constexpr int kChecks = 32;  // per look at the clock
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < kChecks; ++i) {
      if (is_true()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

// Never destroyed: its threads may outlive the statics of the process.
ThreadPool* shared_pool = nullptr;

}  // namespace

struct ThreadPool::Job {
  Body body;
  void* context;
  std::int64_t parts;
  std::int64_t next = 1;                     // the first part that nobody has taken
  std::atomic<std::int64_t> unfinished = 0;  // parts that threads of the pool work on
  std::condition_variable finished;
};

ThreadPool::ThreadPool() : cores_(base::usable_cores()) {}

ThreadPool& ThreadPool::shared() {
  static const bool made = [] {
    shared_pool = new ThreadPool;
    // The child of a fork has none of the threads, and the mutex may be locked for ever.
    pthread_atfork(nullptr, nullptr, [] { shared_pool = new ThreadPool; });
    return true;
  }();
  static_cast<void>(made);
  return *shared_pool;
}

std::int64_t ThreadPool::take_part(Job& job) {
  if (job.next == job.parts) return -1;
  const auto part = job.next++;
  if (job.next == job.parts) {
    jobs_.erase(std::find(jobs_.begin(), jobs_.end(), &job));
    has_work_.store(!jobs_.empty(), std::memory_order_relaxed);
  }
  return part;
}

void ThreadPool::run(std::int64_t parts, Body body, void* context) {
  Job job{.body = body, .context = context, .parts = parts};
  std::unique_lock lock(mutex_);
  start_threads(parts - 1);
  if (job.next < parts) {
    jobs_.push_back(&job);
    has_work_.store(true, std::memory_order_relaxed);
    for (auto i = std::min(parts - 1, sleeping_); i > 0; --i) work_.notify_one();
  }
  for (std::int64_t part = 0; part >= 0; part = take_part(job)) {
    lock.unlock();
    body(context, part);
    lock.lock();
  }
  const auto is_finished = [&] { return job.unfinished.load(std::memory_order_acquire) == 0; };
  if (may_spin()) {
    lock.unlock();
    spin_until(is_finished);
    lock.lock();  // the thread that finished last must have left the mutex before the job ends
  }
  job.finished.wait(lock, is_finished);
}

void ThreadPool::start_threads(std::int64_t count) {
  if (threads_ >= count) return;
  // Signals are for the threads of the program.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (; threads_ < count; ++threads_) {
    try {
      std::thread([this] { help(); }).detach();
    } catch (const std::system_error&) {
      break;  // the system gives no more: the callers run the parts
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void ThreadPool::help() {
  const base::OneLibraryThread alone;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (jobs_.empty() && may_spin()) {
      lock.unlock();
      spin_until([&] { return has_work_.load(std::memory_order_relaxed); });
      lock.lock();
    }
    if (jobs_.empty()) {
      ++sleeping_;
      work_.wait(lock, [&] { return !jobs_.empty(); });
      --sleeping_;
    }
    auto& job = *jobs_.front();
    const auto part = take_part(job);
    job.unfinished.fetch_add(1, std::memory_order_relaxed);
    lock.unlock();
    job.body(job.context, part);
    lock.lock();
    if (job.unfinished.fetch_sub(1, std::memory_order_release) == 1) job.finished.notify_one();
  }
}

}  // namespace fastformer::kernels

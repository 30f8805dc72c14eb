#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>

namespace fastformer::kernels {

/// The threads that help the callers of `parallel_for`: one pool per process, made for a machine
/// that other programs use as well. No caller waits for a thread that has not begun: it does the
/// parts that nobody has taken itself. Idle threads spin for a moment, so that the next of many
/// short loops finds them awake, and then sleep; so does a caller that waits for the last part.
class ThreadPool {
 public:
  using Body = void (*)(void* context, std::int64_t part);

  static ThreadPool& shared();

  /// body(context, part) for every part in [0, parts), each once, part 0 on the calling thread.
  /// Returns when all have ended. `body` throws nothing. Any number of threads may call it.
  void run(std::int64_t parts, Body body, void* context);

 private:
  struct Job;

  ThreadPool();
  void help();  // the life of a thread of the pool
  // The caller of these holds the mutex.
  void start_threads(std::int64_t count);
  bool may_spin() const { return threads_ < cores_; }
  std::int64_t take_part(Job& job);  // -1: all are taken

  const std::int64_t cores_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Job*> jobs_;  // with parts that nobody has taken
  std::atomic<bool> has_work_ = false;
  std::int64_t threads_ = 0, sleeping_ = 0;
};

}  // namespace fastformer::kernels

#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace fastformer::data {

/// Makes batches `first` .. `count` - 1 ahead of time, on a thread of its own and in this order.
///
///   Prefetcher<RaggedBatch> batches([&](std::int64_t i) { return gather(set, plan[i]); }, 0, n);
///   while (auto batch = batches.next()) step(*batch);
///
/// What `make` reads must outlive the prefetcher. next() throws what making threw. One thread may
/// call next(); the destructor stops at any point.
template <class Batch>
class Prefetcher {
 public:
  Prefetcher(std::function<Batch(std::int64_t)> make, std::int64_t first, std::int64_t count)
      : make_(std::move(make)), thread_([this, first, count] { run(first, count); }) {}
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;
  ~Prefetcher() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  /// The next batch, or nothing after the last.
  std::optional<Batch> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_ || !queue_.empty(); });
    if (queue_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return std::nullopt;
    }
    std::optional<Batch> batch = std::move(queue_.front());
    queue_.pop_front();
    changed_.notify_all();
    return batch;
  }

 private:
  static constexpr std::size_t kQueued = 4;

  void run(std::int64_t first, std::int64_t count) {
    std::exception_ptr error;
    try {
      for (auto i = first; i < count; ++i) {
        if (!push(make_(i))) break;
      }
    } catch (...) {
      error = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      error_ = error;
      done_ = true;
    }
    changed_.notify_all();
  }

  bool push(Batch batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stop_ || queue_.size() < kQueued; });
    if (stop_) return false;
    queue_.push_back(std::move(batch));
    changed_.notify_all();
    return true;
  }

  std::function<Batch(std::int64_t)> make_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> queue_;
  std::exception_ptr error_;
  bool done_ = false, stop_ = false;
  std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace fastformer::data

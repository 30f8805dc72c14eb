#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace fastformer::data {

/// Iterates over the batches of an epoch, which another thread prepares ahead of time.
///
///   BatchStream<TokenBatch> batches;
///   batches.begin([&](std::int64_t i) { return gather(corpus, plan[i]); }, 0, plan.size());
///   while (batches.next()) step(*batches);
///
/// Objects that `make` uses must outlive the stream, so declare the stream last. For one thread.
template <class Batch>
class BatchStream {
 public:
  using Make = std::function<Batch(std::int64_t index)>;

  BatchStream() = default;
  BatchStream(const BatchStream&) = delete;
  BatchStream& operator=(const BatchStream&) = delete;
  ~BatchStream() { stop(); }

  /// Starts to make the batches `first` .. `count` - 1, in this order. Throws std::invalid_argument
  /// unless 0 <= first <= count.
  void begin(Make make, std::int64_t first, std::int64_t count) {
    if (first < 0 || first > count) {
      throw std::invalid_argument("the first batch is " + std::to_string(first) +
                                  ", but the epoch has " + std::to_string(count) + " batches");
    }
    stop();
    done_ = stopping_ = false;
    error_ = nullptr;
    thread_ =
        std::thread([this, make = std::move(make), first, count] { run(make, first, count); });
  }

  /// Stops making batches. Call it before changing anything that `make` reads.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    queue_.clear();
    batch_.reset();
  }

  /// Advances to the next batch; returns false after the last. Rethrows an exception of `make`.
  bool next() {
    batch_.reset();
    if (!thread_.joinable()) return false;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_ || !queue_.empty(); });
    if (queue_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return false;
    }
    batch_ = std::move(queue_.front());
    queue_.pop_front();
    changed_.notify_all();
    return true;
  }

  /// The current batch. Throws std::bad_optional_access before the first next() and after the last.
  const Batch& operator*() const { return batch_.value(); }
  const Batch* operator->() const { return &batch_.value(); }

 private:
  static constexpr std::size_t kQueued = 4;

  void run(const Make& make, std::int64_t first, std::int64_t count) {
    std::exception_ptr error;
    try {
      for (auto i = first; i < count; ++i) {
        if (!push(make(i))) break;
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
    changed_.wait(lock, [this] { return stopping_ || queue_.size() < kQueued; });
    if (stopping_) return false;
    queue_.push_back(std::move(batch));
    changed_.notify_all();
    return true;
  }

  std::optional<Batch> batch_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> queue_;
  std::exception_ptr error_;
  bool done_ = true, stopping_ = false;
  std::thread thread_;
};

}  // namespace fastformer::data

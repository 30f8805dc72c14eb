#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <utility>
#include <vector>

namespace fastformer::data {

/// Processes items on other threads (`work`) while the caller continues, then passes them to `use`
/// in the order in which they were added.
///
///   ChunkQueue<Item> queue([&](Item& item) { encode(item); }, [&](Item& item) { write(item); });
///   queue.add(std::move(item), bytes);
///   queue.finish();
///
/// Items are processed in chunks of about 1 MiB, two chunks at a time. `work` runs on the threads
/// of the queue, `use` on the caller's. add() and finish() rethrow exceptions of both.
template <class Item>
class ChunkQueue {
 public:
  using Action = std::function<void(Item&)>;

  ChunkQueue(Action work, Action use) : work_(std::move(work)), use_(std::move(use)) {}
  ChunkQueue(const ChunkQueue&) = delete;
  ChunkQueue& operator=(const ChunkQueue&) = delete;

  void add(Item item, std::size_t bytes) {
    chunk_bytes_ += bytes + sizeof(Item);
    chunk_.push_back(std::move(item));
    if (chunk_bytes_ >= kChunkBytes) start_chunk();
  }

  void finish() {
    start_chunk();
    while (!running_.empty()) use_oldest();
  }

 private:
  using Chunk = std::vector<Item>;
  static constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
  static constexpr std::size_t kThreads = 2;

  void start_chunk() {
    if (running_.size() == kThreads) use_oldest();
    running_.push_back(std::async(std::launch::async, [this, chunk = std::move(chunk_)]() mutable {
      for (auto& item : chunk) work_(item);
      return std::move(chunk);
    }));
    chunk_.clear();
    chunk_bytes_ = 0;
  }

  void use_oldest() {
    Chunk chunk = running_.front().get();
    running_.pop_front();
    for (auto& item : chunk) use_(item);
  }

  Action work_, use_;
  Chunk chunk_;
  std::size_t chunk_bytes_ = 0;
  std::deque<std::future<Chunk>> running_;  ///< declared last: its threads use the members above
};

}  // namespace fastformer::data

#include "fastformer/data/batch_loader.h"

#include <stdexcept>
#include <string>
#include <utility>

namespace fastformer::data {

BatchLoader::BatchLoader(const TokenSet& set, std::vector<std::vector<std::int64_t>> plan,
                         std::int64_t first_batch)
    : set_(set), plan_(std::move(plan)) {
  if (first_batch < 0 || static_cast<std::size_t>(first_batch) > plan_.size()) {
    throw std::invalid_argument("the first batch is " + std::to_string(first_batch) +
                                ", but the plan has " + std::to_string(plan_.size()) + " batches");
  }
  thread_ = std::thread([this, first_batch] { run(static_cast<std::size_t>(first_batch)); });
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BatchLoader::run(std::size_t first_batch) {
  std::exception_ptr error;
  try {
    for (std::size_t i = first_batch; i < plan_.size(); ++i) {
      if (!push(gather(set_, plan_[i]))) break;
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

bool BatchLoader::push(RaggedBatch batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stop_ || queue_.size() < kQueued; });
  if (stop_) return false;
  queue_.push_back(std::move(batch));
  changed_.notify_all();
  return true;
}

std::optional<RaggedBatch> BatchLoader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return done_ || !queue_.empty(); });
  if (queue_.empty()) {
    if (error_) std::rethrow_exception(error_);
    return std::nullopt;
  }
  RaggedBatch batch = std::move(queue_.front());
  queue_.pop_front();
  changed_.notify_all();
  return batch;
}

}  // namespace fastformer::data

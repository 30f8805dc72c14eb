#include "fastformer/serve/work_queue.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "fastformer/base/usable_cores.h"

namespace fastformer::serve {
namespace {

// Tokens are known only after tokenizing.
constexpr std::size_t kBytesPerToken = 4;
// Each request takes as much time as so many bytes, besides its own.
constexpr std::size_t kFixedBytes = 500;

std::string key_of(const Job& job) { return job.model_name + "/" + job.operation; }

}  // namespace

WorkQueue::WorkQueue(const ServerOptions& options, Metrics& metrics)
    : options_(options),
      metrics_(metrics),
      worker_count_(
          static_cast<std::size_t>(options.workers > 0 ? options.workers : base::usable_cores())) {
  for (std::size_t i = 0; i < worker_count_; ++i) workers_.emplace_back([this] { work(); });
}

WorkQueue::~WorkQueue() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  arrived_.notify_all();
}

WorkQueue::Jobs WorkQueue::submit(Jobs jobs) {
  constexpr std::size_t kMostWaitingBytes = 256'000'000;
  const auto now = std::chrono::steady_clock::now();
  Jobs refused;
  {
    const std::scoped_lock lock(mutex_);
    for (auto& job : jobs) {
      const auto bytes = job->exchange.body.size();
      const bool full = waiting_.size() >= options_.queue ||
                        (!waiting_.empty() && waiting_bytes_ + bytes > kMostWaitingBytes);
      if (full) {
        refused.push_back(std::move(job));
        continue;
      }
      job->submitted = now;
      waiting_bytes_ += bytes;
      waiting_.push_back(std::move(job));
    }
    metrics_.queued(waiting_.size());
  }
  // A worker that waits for more of its kind must not take the place of an idle one.
  const bool wake_all = jobs.size() > 1 || options_.batch_wait.count() > 0;
  wake_all ? arrived_.notify_all() : arrived_.notify_one();
  return refused;
}

bool WorkQueue::answer_at_once(const std::shared_ptr<Job>& job) {
  constexpr double kLongest = 1e-3;
  if (options_.batch_wait.count() > 0 || !job->joins()) return false;
  {
    const std::scoped_lock lock(mutex_);
    const auto known = seconds_per_byte_.find(key_of(*job));
    const auto bytes = static_cast<double>(job->exchange.body.size() + kFixedBytes);
    if (known == seconds_per_byte_.end() || bytes * known->second > kLongest) return false;
    if (!waiting_.empty() || computing_ > 0) return false;
    ++computing_;
  }
  job->submitted = std::chrono::steady_clock::now();
  run({job});
  return true;
}

// Moves requests for the operation and model of the first from the queue to the batch: up to
// `most` requests, and about ServerOptions::batch_tokens. Whether there is room for more.
bool WorkQueue::take_alike(Jobs& batch, std::size_t most) {
  const auto& first = *batch.front();
  if (!first.joins()) return false;
  const auto most_bytes = static_cast<std::size_t>(options_.batch_tokens) * kBytesPerToken;
  std::size_t bytes = 0;
  for (const auto& job : batch) bytes += job->exchange.body.size();
  for (auto job = waiting_.begin();
       job != waiting_.end() && bytes < most_bytes && batch.size() < most;) {
    const bool alike = (*job)->model == first.model && (*job)->operation == first.operation;
    if (!alike) {
      ++job;
      continue;
    }
    bytes += (*job)->exchange.body.size();
    waiting_bytes_ -= (*job)->exchange.body.size();
    batch.push_back(std::move(*job));
    job = waiting_.erase(job);
  }
  return bytes < most_bytes && batch.size() < most;
}

WorkQueue::Jobs WorkQueue::next_batch() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
  if (waiting_.empty()) return {};
  Jobs batch = {std::move(waiting_.front())};
  waiting_.pop_front();
  waiting_bytes_ -= batch.front()->exchange.body.size();
  if (options_.batch_wait.count() == 0) {
    // Idle workers share what waits.
    const auto idle = std::max<std::size_t>(worker_count_ - std::min(worker_count_, computing_), 1);
    take_alike(batch, (waiting_.size() + idle) / idle);
  } else {
    const auto end = batch.front()->submitted + options_.batch_wait;
    while (take_alike(batch, options_.queue) && !ending_ &&
           arrived_.wait_until(lock, end) != std::cv_status::timeout) {
    }
  }
  // What is left, of another kind or too much for one batch, is for another worker.
  if (!waiting_.empty()) arrived_.notify_one();
  metrics_.queued(waiting_.size());
  ++computing_;
  return batch;
}

void WorkQueue::answer(const Jobs& batch) const {
  std::vector<base::Exchange*> exchanges;
  for (const auto& job : batch) exchanges.push_back(&job->exchange);
  const auto& first = *batch.front();
  try {
    first.model->answer(first.operation, exchanges, options_.request);
    return;
  } catch (const std::exception& error) {
    if (batch.size() == 1) {
      batch.front()->failure = error.what();
      return;
    }
  }
  // One request must not fail the others.
  for (const auto& job : batch) answer({job});
}

void WorkQueue::learn_time(const Jobs& batch, std::chrono::duration<double> time) {
  std::size_t bytes = 0;
  for (const auto& job : batch) {
    if (job->exchange.refusal.empty()) bytes += job->exchange.body.size() + kFixedBytes;
  }
  const std::scoped_lock lock(mutex_);
  --computing_;
  if (bytes == 0) return;
  const double measured = time.count() / static_cast<double>(bytes);
  auto& known = seconds_per_byte_[key_of(*batch.front())];
  // Rises at once and falls slowly.
  constexpr double kOld = 0.95;
  known = std::max(measured, kOld * known + (1 - kOld) * measured);
}

void WorkQueue::run(const Jobs& batch) {
  const auto begun = std::chrono::steady_clock::now();
  answer(batch);
  const auto time = std::chrono::steady_clock::now() - begun;
  metrics_.computed(batch.size(), time);
  for (const auto& job : batch) {
    metrics_.waited(begun - job->submitted);
    metrics_.read(job->model_name, job->operation, job->exchange.inputs, job->exchange.tokens);
  }
  learn_time(batch, time);
  for (const auto& job : batch) job->done();
}

void WorkQueue::work() {
  for (auto batch = next_batch(); !batch.empty(); batch = next_batch()) run(batch);
}

}  // namespace fastformer::serve

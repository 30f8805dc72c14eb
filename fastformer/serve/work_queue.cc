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
  const auto now = std::chrono::steady_clock::now();
  std::size_t accepted = 0;
  {
    const std::scoped_lock lock(mutex_);
    accepted = std::min(jobs.size(), options_.queue - std::min(options_.queue, waiting_.size()));
    for (std::size_t i = 0; i < accepted; ++i) {
      jobs[i]->submitted = now;
      waiting_.push_back(std::move(jobs[i]));
    }
    metrics_.queued(waiting_.size());
  }
  accepted > 1 ? arrived_.notify_all() : arrived_.notify_one();
  jobs.erase(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(accepted));
  return jobs;
}

bool WorkQueue::answer_at_once(const std::shared_ptr<Job>& job) {
  constexpr double kLongest = 1e-3;
  const auto bytes = static_cast<double>(job->exchange.body.size() + kFixedBytes);
  if (job->exchange.stream || bytes * seconds_per_byte_ > kLongest) return false;
  {
    const std::scoped_lock lock(mutex_);
    if (!waiting_.empty() || computing_ > 0) return false;
    ++computing_;
  }
  job->submitted = std::chrono::steady_clock::now();
  run({job});
  return true;
}

// Moves requests for the operation and model of the first from the queue to the batch.
void WorkQueue::take_alike(Jobs& batch, std::size_t& bytes) {
  const auto most = static_cast<std::size_t>(options_.batch_tokens) * kBytesPerToken;
  // Idle workers share what waits.
  const auto idle = std::max<std::size_t>(worker_count_ - std::min(worker_count_, computing_), 1);
  const auto share = (waiting_.size() + batch.size() + idle - 1) / idle;
  for (auto job = waiting_.begin();
       job != waiting_.end() && bytes < most && batch.size() < share;) {
    const auto& first = *batch.front();
    // A streamed request occupies its worker until its client has read the answer.
    const bool alike = (*job)->model == first.model && (*job)->operation == first.operation &&
                       !first.exchange.stream && !(*job)->exchange.stream;
    if (!alike) {
      ++job;
      continue;
    }
    bytes += (*job)->exchange.body.size();
    batch.push_back(std::move(*job));
    job = waiting_.erase(job);
  }
}

WorkQueue::Jobs WorkQueue::next_batch() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
  if (waiting_.empty()) return {};
  Jobs batch = {std::move(waiting_.front())};
  waiting_.pop_front();
  auto bytes = batch.front()->exchange.body.size();
  take_alike(batch, bytes);
  if (options_.batch_wait.count() > 0) {
    const auto end = batch.front()->submitted + options_.batch_wait;
    const auto most = static_cast<std::size_t>(options_.batch_tokens) * kBytesPerToken;
    while (bytes < most && !ending_ && arrived_.wait_until(lock, end) != std::cv_status::timeout) {
      take_alike(batch, bytes);
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

void WorkQueue::run(const Jobs& batch) {
  const auto begun = std::chrono::steady_clock::now();
  answer(batch);
  const auto time = std::chrono::steady_clock::now() - begun;
  metrics_.computed(batch.size(), time);
  std::size_t bytes = 0;
  for (const auto& job : batch) {
    bytes += job->exchange.body.size();
    metrics_.waited(begun - job->submitted);
    metrics_.read(job->model_name, job->operation, job->exchange.inputs, job->exchange.tokens);
  }
  // Rises at once and falls slowly.
  constexpr double kOld = 0.99;
  const double measured = std::chrono::duration<double>(time).count() /
                          static_cast<double>(bytes + batch.size() * kFixedBytes);
  const double old = seconds_per_byte_;
  seconds_per_byte_ = std::max(measured, kOld * old + (1 - kOld) * measured);
  {
    const std::scoped_lock lock(mutex_);
    --computing_;
  }
  for (const auto& job : batch) job->done();
}

void WorkQueue::work() {
  for (auto batch = next_batch(); !batch.empty(); batch = next_batch()) run(batch);
}

}  // namespace fastformer::serve

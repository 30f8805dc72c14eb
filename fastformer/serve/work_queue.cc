#include "fastformer/serve/work_queue.h"

#include <exception>
#include <utility>

#include "fastformer/base/usable_cores.h"

namespace fastformer::serve {
namespace {

// Tokens are known only after tokenizing.
constexpr std::size_t kBytesPerToken = 4;

}  // namespace

WorkQueue::WorkQueue(const ServerOptions& options, Metrics& metrics)
    : options_(options), metrics_(metrics) {
  const auto count = options.workers > 0 ? options.workers : base::usable_cores();
  for (std::int64_t i = 0; i < count; ++i) workers_.emplace_back([this] { work(); });
}

WorkQueue::~WorkQueue() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  arrived_.notify_all();
}

bool WorkQueue::submit(std::shared_ptr<Job> job) {
  job->submitted = std::chrono::steady_clock::now();
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() >= options_.queue) return false;
    waiting_.push_back(std::move(job));
    metrics_.queued(waiting_.size());
  }
  arrived_.notify_one();
  return true;
}

// Moves requests for the operation and model of the first from the queue to the batch.
void WorkQueue::take_alike(Batch& batch, std::size_t& bytes) {
  const auto most = static_cast<std::size_t>(options_.batch_tokens) * kBytesPerToken;
  for (auto job = waiting_.begin(); job != waiting_.end() && bytes < most;) {
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

WorkQueue::Batch WorkQueue::next_batch() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
  if (waiting_.empty()) return {};
  Batch batch = {std::move(waiting_.front())};
  waiting_.pop_front();
  auto bytes = batch.front()->exchange.body.size();
  take_alike(batch, bytes);
  if (options_.batch_wait.count() > 0) {
    const auto end = batch.front()->submitted + options_.batch_wait;
    const auto most = static_cast<std::size_t>(options_.batch_tokens) * kBytesPerToken;
    while (bytes < most && !ending_ && arrived_.wait_until(lock, end) != std::cv_status::timeout) {
      take_alike(batch, bytes);
    }
    // What is left, of another kind, is for another worker.
    if (!waiting_.empty()) arrived_.notify_one();
  }
  metrics_.queued(waiting_.size());
  return batch;
}

void WorkQueue::answer(const Batch& batch) const {
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

void WorkQueue::work() {
  for (auto batch = next_batch(); !batch.empty(); batch = next_batch()) {
    const auto begun = std::chrono::steady_clock::now();
    answer(batch);
    const auto ended = std::chrono::steady_clock::now();
    metrics_.computed(batch.size(), ended - begun);
    for (const auto& job : batch) {
      metrics_.waited(begun - job->submitted);
      metrics_.read(job->model_name, job->operation, job->exchange.inputs, job->exchange.tokens);
      job->done();
    }
    batch.clear();
  }
}

}  // namespace fastformer::serve

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fastformer/base/model_service.h"
#include "fastformer/serve/metrics.h"
#include "fastformer/serve/model_table.h"
#include "fastformer/serve/options.h"

namespace fastformer::serve {

/// A request to a model that waits, or has been answered.
struct Job {
  Model model;
  std::string model_name, operation;
  base::Exchange exchange;
  std::string failure;         ///< one sentence, if the computation failed
  std::function<void()> done;  ///< called on a worker's thread when all above is final
  std::chrono::steady_clock::time_point submitted;
};

/// The workers of a server. Requests that wait for the same operation of the same model are
/// answered together, in one ragged batch: those that arrive while all workers are busy, up to
/// ServerOptions::batch_tokens. A request that finds an idle worker waits only for
/// ServerOptions::batch_wait.
class WorkQueue {
 public:
  WorkQueue(const ServerOptions& options, Metrics& metrics);
  /// Answers what was submitted.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// False: ServerOptions::queue requests wait already.
  bool submit(std::shared_ptr<Job> job);

 private:
  using Batch = std::vector<std::shared_ptr<Job>>;

  void work();
  Batch next_batch();
  void take_alike(Batch& batch, std::size_t& bytes);
  void answer(const Batch& batch) const;

  const ServerOptions& options_;
  Metrics& metrics_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::shared_ptr<Job>> waiting_;
  bool ending_ = false;
  std::vector<std::jthread> workers_;
};

}  // namespace fastformer::serve

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
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
  bool turned_away = false;    ///< the queue had no place
  std::function<void()> done;  ///< called when all above is final, on any thread
  std::chrono::steady_clock::time_point submitted;

  /// Whether it shares batches with others.
  bool joins() const { return !exchange.stream && model->joins(operation); }
};

/// The workers of a server. Requests that wait for the same operation of the same model are
/// answered together, in one ragged batch: those that arrive while all workers are busy, up to
/// ServerOptions::batch_tokens. A request that finds an idle worker waits only for
/// ServerOptions::batch_wait.
class WorkQueue {
 public:
  using Jobs = std::vector<std::shared_ptr<Job>>;

  WorkQueue(const ServerOptions& options, Metrics& metrics);
  /// Answers what was submitted.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// Returns the jobs for which there is no place: ServerOptions::queue requests wait already.
  Jobs submit(Jobs jobs);
  /// Answers a job on this thread if nothing waits or is computed, and the answer will take less
  /// than a millisecond, as far as earlier ones for the same operation tell. False: it did not.
  bool answer_at_once(const std::shared_ptr<Job>& job);

 private:
  void work();
  Jobs next_batch();
  bool take_alike(Jobs& batch, std::size_t most);
  void answer(const Jobs& batch) const;
  void run(const Jobs& batch);
  void learn_time(const Jobs& batch, std::chrono::duration<double> time);

  const ServerOptions options_;
  Metrics& metrics_;
  const std::size_t worker_count_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::shared_ptr<Job>> waiting_;
  std::size_t waiting_bytes_ = 0;  // of the bodies
  std::size_t computing_ = 0;      // batches
  bool ending_ = false;
  std::map<std::string, double> seconds_per_byte_;  // by model and operation
  std::vector<std::jthread> workers_;
};

}  // namespace fastformer::serve

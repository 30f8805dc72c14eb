#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "fastformer/data/batch_sampler.h"

namespace fastformer::data {

/// Gathers the batches of a plan ahead of time, on a thread of its own and in the plan's order.
///
///   BatchLoader loader(dataset.train, plan_epoch(dataset.train, config, seed, epoch));
///   while (auto batch = loader.next()) step(*batch);
///
/// `set` must outlive the loader. `first_batch` skips what a resumed epoch has already seen. next()
/// throws what gathering threw. One thread may call next(); the destructor stops at any point.
class BatchLoader {
 public:
  /// Throws std::invalid_argument when `first_batch` is not in [0, plan.size()].
  BatchLoader(const TokenSet& set, std::vector<std::vector<std::int64_t>> plan,
              std::int64_t first_batch = 0);
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;
  ~BatchLoader();

  /// The next batch, or nothing after the last.
  std::optional<RaggedBatch> next();

 private:
  static constexpr std::size_t kQueued = 4;

  void run(std::size_t first_batch);
  bool push(RaggedBatch batch);

  const TokenSet& set_;
  std::vector<std::vector<std::int64_t>> plan_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<RaggedBatch> queue_;
  std::exception_ptr error_;
  bool done_ = false, stop_ = false;
  std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace fastformer::data

#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "fastformer/data/epoch_plan.h"
#include "fastformer/data/prefetcher.h"

namespace fastformer::train {

/// The batches of a task, epoch after epoch, made ahead of time on a thread of their own.
///
///   EpochBatches<data::RaggedBatch> batches;
///   batches.begin([&](std::int64_t i) { return gather(set, plan[i]); }, first, plan.size());
///   batches.next();
///   use(*batches);
///
/// What `make` reads must outlive the object: declare it last.
template <class Batch>
class EpochBatches {
 public:
  /// Stops what is being made; to be called before what `make` reads is changed.
  void stop() { ahead_.reset(); }

  /// Goes to batch `first` of `count`. Throws std::invalid_argument unless 0 <= first <= count.
  void begin(std::function<Batch(std::int64_t)> make, std::int64_t first, std::int64_t count) {
    if (first < 0 || first > count) {
      throw std::invalid_argument("the first batch is " + std::to_string(first) +
                                  ", but the plan has " + std::to_string(count) + " batches");
    }
    stop();
    ahead_ = std::make_unique<data::Prefetcher<Batch>>(std::move(make), first, count);
  }

  /// The same for the rows of `set` [N] that an epoch of `plan` puts into each batch, by
  /// gather(set, rows). Gives the number of batches in the epoch.
  template <class Set>
  std::int64_t begin(const Set& set, const data::EpochPlan& plan, std::int64_t epoch,
                     std::int64_t first) {
    auto batches = plan.batches(epoch);
    const auto count = std::ssize(batches);
    begin([&set, batches = std::move(batches)](
              std::int64_t i) { return gather(set, batches[static_cast<std::size_t>(i)]); },
          first, count);
    return count;
  }

  /// Takes the next batch. Throws what making it threw, and std::logic_error where none is left.
  void next() {
    batch_.reset();
    if (ahead_) batch_ = ahead_->next();
    if (!batch_) throw std::logic_error("EpochBatches: no batch is left; call begin() first");
  }

  const Batch& operator*() const { return *batch_; }
  const Batch* operator->() const { return &*batch_; }

 private:
  std::optional<Batch> batch_;
  std::unique_ptr<data::Prefetcher<Batch>> ahead_;
};

}  // namespace fastformer::train

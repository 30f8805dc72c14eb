#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "fastformer/data/batch_sampler.h"
#include "fastformer/data/prefetcher.h"

namespace fastformer::data {

/// Gathers the batches of a plan ahead of time, see Prefetcher.
///
///   BatchLoader loader(dataset.train, plan_epoch(dataset.train, config, seed, epoch));
///   while (auto batch = loader.next()) step(*batch);
///
/// `set` must outlive the loader.
class BatchLoader {
 public:
  BatchLoader(const TokenSet& set, std::vector<std::vector<std::int64_t>> plan)
      : plan_(std::move(plan)),
        batches_([this, &set](std::int64_t i) { return gather(set, plan_[i]); }, 0,
                 static_cast<std::int64_t>(plan_.size())) {}

  /// The next batch, or nothing after the last.
  std::optional<RaggedBatch> next() { return batches_.next(); }

 private:
  std::vector<std::vector<std::int64_t>> plan_;
  Prefetcher<RaggedBatch> batches_;
};

}  // namespace fastformer::data

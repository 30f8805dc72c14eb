#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fastformer/data/batch_sampler.h"
#include "fastformer/data/prefetcher.h"

namespace fastformer::data {

/// Gathers the batches of a plan ahead of time, see Prefetcher.
///
///   BatchLoader loader(dataset.train, plan_epoch(dataset.train, config, seed, epoch));
///   while (auto batch = loader.next()) step(*batch);
///
/// `set` must outlive the loader. `first_batch` skips what a resumed epoch has already seen.
class BatchLoader {
 public:
  /// Throws std::invalid_argument when `first_batch` is not in [0, plan.size()].
  BatchLoader(const TokenSet& set, std::vector<std::vector<std::int64_t>> plan,
              std::int64_t first_batch = 0);

  /// The next batch, or nothing after the last.
  std::optional<RaggedBatch> next() { return batches_.next(); }

 private:
  std::vector<std::vector<std::int64_t>> plan_;
  Prefetcher<RaggedBatch> batches_;
};

}  // namespace fastformer::data

#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "fastformer/data/batch_sampler.h"

namespace fastformer::data {

/// The plans of all epochs of a training part, see plan_epoch().
///
///   const EpochPlan plan(lengths_of(dataset.train), config, seed);
///   for (const auto& rows : plan.batches(epoch)) use(gather(dataset.train, rows));
class EpochPlan {
 public:
  /// `lengths` [N] in tokens.
  EpochPlan(std::vector<std::int64_t> lengths, BatchConfig config, std::uint64_t seed)
      : lengths_(std::move(lengths)), config_(std::move(config)), seed_(seed) {}

  std::vector<std::vector<std::int64_t>> batches(std::int64_t epoch) const {
    return plan_epoch(lengths_, config_, seed_, epoch);
  }

  /// How many there are; without a plan where every epoch has the same number.
  std::int64_t count(std::int64_t epoch) const {
    const auto rows = static_cast<std::int64_t>(lengths_.size());
    if (config_.batch_by == "examples") {
      return (rows + config_.batch_size - 1) / config_.batch_size;
    }
    return static_cast<std::int64_t>(batches(epoch).size());
  }

 private:
  std::vector<std::int64_t> lengths_;
  BatchConfig config_;
  std::uint64_t seed_;
};

}  // namespace fastformer::data

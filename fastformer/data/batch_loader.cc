#include "fastformer/data/batch_loader.h"

#include <stdexcept>
#include <string>
#include <utility>

namespace fastformer::data {
namespace {

std::int64_t checked(std::int64_t first_batch, std::size_t batches) {
  if (first_batch >= 0 && static_cast<std::size_t>(first_batch) <= batches) return first_batch;
  throw std::invalid_argument("the first batch is " + std::to_string(first_batch) +
                              ", but the plan has " + std::to_string(batches) + " batches");
}

}  // namespace

BatchLoader::BatchLoader(const TokenSet& set, std::vector<std::vector<std::int64_t>> plan,
                         std::int64_t first_batch)
    : plan_(std::move(plan)),
      batches_([this, &set](std::int64_t i) { return gather(set, plan_[i]); },
               checked(first_batch, plan_.size()), static_cast<std::int64_t>(plan_.size())) {}

}  // namespace fastformer::data

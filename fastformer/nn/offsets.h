#pragma once

#include <cstdint>
#include <span>

namespace fastformer::nn {

/// Where the sequences of a ragged batch lie: sequence b owns rows offsets[b] .. offsets[b + 1] of
/// x [T, d]. A view: the numbers belong to the batch.
class Offsets {
 public:
  explicit Offsets(std::span<const std::int64_t> values) : values_(values) {}

  std::int64_t size() const { return static_cast<std::int64_t>(values_.size()) - 1; }
  std::int64_t total() const { return values_.back(); }
  std::int64_t begin_of(std::int64_t sequence) const { return values_[sequence]; }
  std::int64_t length(std::int64_t sequence) const {
    return values_[sequence + 1] - values_[sequence];
  }
  std::span<const std::int64_t> values() const { return values_; }

 private:
  std::span<const std::int64_t> values_;
};

}  // namespace fastformer::nn

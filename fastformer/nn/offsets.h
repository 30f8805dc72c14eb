#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

namespace fastformer::nn {

/// The positions of the sequences in a ragged batch: sequence b has the rows
/// offsets[b] .. offsets[b + 1] - 1 of x [T, d]. A view: `values` must outlive it.
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
  /// A copy of the values, for uses that outlive the batch.
  std::vector<std::int64_t> copy() const { return {values_.begin(), values_.end()}; }

 private:
  std::span<const std::int64_t> values_;
};

/// Throws c10::Error unless x is [T, d] with as many rows T as the offsets have.
inline void check_rows(const at::Tensor& x, const Offsets& offsets) {
  TORCH_CHECK(x.dim() == 2, "expected rows [T, d], got a tensor of ", x.dim(), " dimensions");
  TORCH_CHECK(x.size(0) == offsets.total(), "the batch has ", offsets.total(),
              " tokens by its offsets, but ", x.size(0), " rows");
}

}  // namespace fastformer::nn

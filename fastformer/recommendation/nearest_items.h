#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace fastformer::recommendation {

/// Finds the items with the largest inner products approximately, by a graph in which each item is
/// connected to items near it (HNSW: Malkov and Yashunin 2018, arXiv 1603.09320; hnswlib).
///
///   const NearestItems nearest(vectors);          // [N, d], builds the graph
///   const auto items = nearest.search(user, 10);  // user [d]
///
/// A search compares the user with some thousands of items instead of all. The graph takes about
/// 250 bytes per item besides the vectors. One thread builds it, so that equal vectors give equal
/// graphs. A vector of zeros has no neighbours and may not be found. Immutable; safe to share
/// between threads.
class NearestItems {
 public:
  /// `vectors` [N, d].
  explicit NearestItems(const at::Tensor& vectors);
  ~NearestItems();
  NearestItems(NearestItems&&) noexcept;
  NearestItems& operator=(NearestItems&&) noexcept;

  /// Nearly the `count` rows with the largest products with `user` [d], largest first; fewer if
  /// there are fewer.
  std::vector<std::int32_t> search(const float* user, std::size_t count) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace fastformer::recommendation

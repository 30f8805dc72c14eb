#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "fastformer/base/vectors.h"

namespace fastformer::kernels {

/// A row near a query.
struct Neighbor {
  std::size_t row = 0;
  float similarity = 0;  ///< the cosine of the angle between both
};

/// Finds the rows of a matrix [rows, width] whose directions are nearest to a query's, exactly: all
/// cosines are computed, block by block (gemm.h), on the threads of the calling thread's scope.
///
///   const kernels::NearestRows index(classifier.embed(documents));
///   for (const auto& found : index.search(classifier.embed(queries), 10)) use(found);
///
/// The cosine with a vector of zeros, such as that of an empty text, is 0. Immutable; safe to share
/// by threads.
class NearestRows {
 public:
  /// Throws std::invalid_argument for no vectors, and for a number that is not finite.
  explicit NearestRows(Vectors vectors);

  std::size_t rows() const { return unit_.rows(); }
  std::size_t width() const { return unit_.width; }

  /// For each query the `k` nearest rows, nearest first; of equally near ones the first rows.
  /// Throws std::invalid_argument for queries of another width, and as the constructor does.
  std::vector<std::vector<Neighbor>> search(Vectors queries, std::size_t k) const;
  /// The same for rows of the matrix, each without itself.
  std::vector<std::vector<Neighbor>> search_rows(std::span<const std::size_t> rows,
                                                 std::size_t k) const;

 private:
  Vectors unit_;  ///< of length 1, or 0
};

}  // namespace fastformer::kernels

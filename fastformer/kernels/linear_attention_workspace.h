#pragma once

#include <algorithm>
#include <cstdint>

#include "fastformer/kernels/linear_attention.h"

namespace fastformer::kernels {

/// Some rows of a block, which are worked on at a time. Of each operand they are copied to a tile
/// [heads, rows, e], head by head, so that what a head reads again and again lies side by side.
/// They are copied row by row: memory is fast only where whole rows are read in their order.
struct LinearAttentionPiece {
  std::int64_t first, rows;
  std::int64_t heads, head_width;
  std::int64_t head_stride;  ///< from head to head of a tile

  /// Tiles of 64 KiB of floats, of which the six of a backward pass stay in the second cache, as
  /// long as that leaves enough rows to make good use of a state that was loaded.
  static std::int64_t most_rows(const LinearAttentionShape& shape) {
    return std::clamp<std::int64_t>(16384 / (shape.heads * shape.head_width), 16, 64);
  }
  /// Heads that lie a power of two apart would share a few sets of the first cache.
  static std::int64_t head_stride_of(const LinearAttentionShape& shape) {
    return most_rows(shape) * shape.head_width + 16;
  }
};

/// The scratch of a call.
template <class Real>
class LinearAttentionWorkspace {
 public:
  LinearAttentionWorkspace(const LinearAttentionShape& shape, Real* scratch)
      : e_(shape.head_width),
        tile_(shape.heads * LinearAttentionPiece::head_stride_of(shape)),
        rows_(LinearAttentionPiece::most_rows(shape)) {
    const auto address = reinterpret_cast<std::uintptr_t>(scratch);
    tiles_ = scratch + (kCacheLine - address % kCacheLine) % kCacheLine / sizeof(Real);
  }

  Real* tile(int index) const { return tiles_ + index * tile_; }
  /// One number for each row of a piece, two of them.
  Real* row_factors(int index) const { return tile(kTiles) + index * rows_; }
  /// [e + 1, e], what a call keeps for a head from piece to piece.
  Real* state(std::int64_t head) const { return row_factors(2) + head * (e_ + 1) * e_; }

  static std::int64_t size(const LinearAttentionShape& shape) {
    return kTiles * shape.heads * LinearAttentionPiece::head_stride_of(shape) +
           2 * LinearAttentionPiece::most_rows(shape) +
           linear_attention_state_size(shape.heads, shape.head_width) + kCacheLine / sizeof(Real);
  }

 private:
  static constexpr int kTiles = 6;
  static constexpr std::uintptr_t kCacheLine = 64;

  std::int64_t e_, tile_, rows_;
  Real* tiles_;
};

}  // namespace fastformer::kernels

#include "fastformer/kernels/products/amx_bf16.h"

#include "fastformer/kernels/products/matrix_product.h"

#if defined(__x86_64__) && defined(__linux__)

#include <array>
#include <vector>

#include "fastformer/kernels/products/amx_tiles-inl.h"

namespace fastformer::kernels {
namespace {

// bf16: both sides are packed as [count / 16][depth / 32] tiles of 1 KiB, filled up with zeros. A
// tile of rows has 32 numbers per row; a tile of columns has, for each pair of numbers along the
// depth, those of 16 columns. Blocks of a product are bounded so that both sides stay in the L2
// cache.
constexpr std::int64_t kTileDepth = 32;
constexpr std::int64_t kBlockDepth = 512, kBlockRows = 256, kBlockColumns = 512;

constexpr std::int64_t tiles_of(std::int64_t count) { return (count + kSide - 1) / kSide; }
constexpr std::int64_t steps_of(std::int64_t depth) {
  return (depth + kTileDepth - 1) / kTileDepth;
}

struct Tile {
  __m512i rows[kSide];
};

// Both vectors, rounded, one after the other.
FASTFORMER_AMX inline __m512i rounded(__m512 low, __m512 high) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
}

// 16 rows along the depth: row i is 32 numbers.
FASTFORMER_AMX inline void round_rows(const float* from, std::int64_t stride, std::int64_t count,
                                      std::int64_t depth, Tile& tile) {
  const auto low = mask_of(depth), high = mask_of(depth - kSide);
  for (std::int64_t i = 0; i < kSide; ++i, from += stride) {
    tile.rows[i] = i < count ? rounded(_mm512_maskz_loadu_ps(low, from),
                                       _mm512_maskz_loadu_ps(high, from + kSide))
                             : _mm512_setzero_si512();
  }
}

// 32 rows across the depth: pair k is numbers 2 k and 2 k + 1 of each of 16 columns.
FASTFORMER_AMX inline void round_pairs(const float* from, std::int64_t stride, std::int64_t count,
                                       std::int64_t depth, Tile& tile) {
  static constexpr auto kInterleaved = [] {
    std::array<std::int16_t, 2 * kSide> order{};
    for (std::int16_t j = 0; j < 2 * kSide; ++j) order[j] = j / 2 + j % 2 * kSide;
    return order;
  }();
  const auto order = _mm512_loadu_si512(kInterleaved.data());
  const auto columns = mask_of(count);
  for (std::int64_t k = 0; k < kSide; ++k, from += 2 * stride) {
    const auto one = 2 * k < depth ? _mm512_maskz_loadu_ps(columns, from) : _mm512_setzero_ps();
    const auto two =
        2 * k + 1 < depth ? _mm512_maskz_loadu_ps(columns, from + stride) : _mm512_setzero_ps();
    tile.rows[k] = _mm512_permutexvar_epi16(order, rounded(one, two));
  }
}

// Exchanges rows and columns of 16 x 16 pairs.
FASTFORMER_AMX inline void transpose(Tile& tile) {
  Tile next;
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    next.rows[i] = _mm512_unpacklo_epi32(tile.rows[i], tile.rows[i + 1]);
    next.rows[i + 1] = _mm512_unpackhi_epi32(tile.rows[i], tile.rows[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    tile.rows[i] = _mm512_unpacklo_epi64(next.rows[i], next.rows[i + 2]);
    tile.rows[i + 1] = _mm512_unpackhi_epi64(next.rows[i], next.rows[i + 2]);
    tile.rows[i + 2] = _mm512_unpacklo_epi64(next.rows[i + 1], next.rows[i + 3]);
    tile.rows[i + 3] = _mm512_unpackhi_epi64(next.rows[i + 1], next.rows[i + 3]);
  }
  // Now row 4 q + r has columns r, 4 + r, 8 + r and 12 + r of rows 4 q to 4 q + 3.
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    const auto a = _mm512_shuffle_i32x4(tile.rows[r], tile.rows[4 + r], 0x88);
    const auto b = _mm512_shuffle_i32x4(tile.rows[r], tile.rows[4 + r], 0xDD);
    const auto c = _mm512_shuffle_i32x4(tile.rows[8 + r], tile.rows[12 + r], 0x88);
    const auto d = _mm512_shuffle_i32x4(tile.rows[8 + r], tile.rows[12 + r], 0xDD);
    next.rows[r] = _mm512_shuffle_i32x4(a, c, 0x88);
    next.rows[4 + r] = _mm512_shuffle_i32x4(b, d, 0x88);
    next.rows[8 + r] = _mm512_shuffle_i32x4(a, c, 0xDD);
    next.rows[12 + r] = _mm512_shuffle_i32x4(b, d, 0xDD);
  }
  tile = next;
}

// A side of a product: `count` rows of A or columns of B by `depth`. Numbers that follow each other
// in memory lie along the depth or (`across`) across it.
struct Side {
  const float* data;
  std::int64_t stride;
  bool across;

  Side block(std::int64_t from, std::int64_t depth) const {
    return {data + (across ? depth * stride + from : from * stride + depth), stride, across};
  }
};

// Packs a side; `pairs` for tiles of columns.
FASTFORMER_AMX void pack(Side side, std::int64_t count, std::int64_t depth, bool pairs,
                         std::uint8_t* out) {
  const auto steps = steps_of(depth), tiles = tiles_of(count);
  const auto pack_tile = [&](std::int64_t t, std::int64_t s) FASTFORMER_AMX {
    const auto block = side.block(t * kSide, s * kTileDepth);
    Tile tile;
    if (side.across) {
      round_pairs(block.data, side.stride, count - t * kSide, depth - s * kTileDepth, tile);
    } else {
      round_rows(block.data, side.stride, count - t * kSide, depth - s * kTileDepth, tile);
    }
    if (side.across != pairs) transpose(tile);
    auto* to = out + (t * steps + s) * kTileBytes;
    for (const auto& row : tile.rows) {
      _mm512_store_si512(to, row);
      to += kRowBytes;
    }
  };
  // In the order of the memory that is read.
  if (side.across) {
    for (std::int64_t s = 0; s < steps; ++s) {
      for (std::int64_t t = 0; t < tiles; ++t) pack_tile(t, s);
    }
  } else {
    for (std::int64_t t = 0; t < tiles; ++t) {
      for (std::int64_t s = 0; s < steps; ++s) pack_tile(t, s);
    }
  }
}

// Sums of 16 x 16: a part of C, or a copy where C has fewer rows or columns.
struct Sums {
  float* data;
  std::int64_t stride;  // in floats
};

template <int kTile>
FASTFORMER_AMX inline void begin_sums(Start<float> start, Sums sums) {
  if (start.keep) {
    load_tile<kTile>(sums.data, sums.stride * static_cast<std::int64_t>(sizeof(float)));
  } else if (start.row != nullptr) {
    load_tile<kTile>(start.row, 0);
  } else {
    zero_tile<kTile>();
  }
}

template <int kTile>
FASTFORMER_AMX inline void end_sums(Sums sums) {
  store_tile<kTile>(sums.data, sums.stride * static_cast<std::int64_t>(sizeof(float)));
}

// C += rows of A by columns of B, for 16 or 32 of each, all of them in C. `start.row` begins at the
// first column.
template <int kRows, int kColumns>
FASTFORMER_AMX inline void whole_tiles(std::int64_t steps, Operand left, Operand right,
                                       Start<float> start, Sums c) {
  const Sums beside{c.data + kSide, c.stride}, below{c.data + kSide * c.stride, c.stride},
      last{below.data + kSide, c.stride};
  const auto next = start.at(kSide);
  begin_sums<0>(start, c);
  if constexpr (kColumns == 2) begin_sums<1>(next, beside);
  if constexpr (kRows == 2) begin_sums<2>(start, below);
  if constexpr (kRows == 2 && kColumns == 2) begin_sums<3>(next, last);
  multiply_tiles<Bf16Units, kRows, kColumns>(steps, left, right);
  end_sums<0>(c);
  if constexpr (kColumns == 2) end_sums<1>(beside);
  if constexpr (kRows == 2) end_sums<2>(below);
  if constexpr (kRows == 2 && kColumns == 2) end_sums<3>(last);
}

// The same for one tile of which C has only `rows` x `columns`.
FASTFORMER_AMX void edge_tile(std::int64_t steps, Operand left, Operand right, Start<float> start,
                              std::int64_t rows, std::int64_t columns, Sums c) {
  alignas(64) float sums[kSide * kSide] = {};
  const auto kept = mask_of(columns);
  begin_product(start, rows, columns, sums, kSide);
  if (start.keep) {
    for (std::int64_t i = 0; i < rows; ++i) {
      _mm512_store_ps(sums + i * kSide, _mm512_maskz_loadu_ps(kept, c.data + i * c.stride));
    }
  }
  whole_tiles<1, 1>(steps, left, right, {.keep = true}, {sums, kSide});
  for (std::int64_t i = 0; i < rows; ++i) {
    _mm512_mask_storeu_ps(c.data + i * c.stride, kept, _mm512_load_ps(sums + i * kSide));
  }
}

FASTFORMER_AMX void multiply_block(std::int64_t m, std::int64_t n, std::int64_t steps,
                                   const std::uint8_t* left, const std::uint8_t* right,
                                   Start<float> start, float* c, std::int64_t ldc) {
  const auto side = [&](const std::uint8_t* data, std::int64_t from) {
    return Operand{data + from / kSide * steps * kTileBytes, kRowBytes, kTileBytes,
                   steps * kTileBytes};
  };
  for (std::int64_t i = 0; i < m; i += 2 * kSide) {
    const auto rows = m - i;
    for (std::int64_t j = 0; j < n; j += 2 * kSide) {
      const auto columns = n - j;
      const auto begin = start.at(j);
      const Sums sums{c + i * ldc + j, ldc};
      if (rows >= 2 * kSide && columns >= 2 * kSide) {
        whole_tiles<2, 2>(steps, side(left, i), side(right, j), begin, sums);
      } else if (rows >= 2 * kSide && columns == kSide) {
        whole_tiles<2, 1>(steps, side(left, i), side(right, j), begin, sums);
      } else if (rows == kSide && columns >= 2 * kSide) {
        whole_tiles<1, 2>(steps, side(left, i), side(right, j), begin, sums);
      } else {
        for (std::int64_t r = 0; r < std::min(rows, 2 * kSide); r += kSide) {
          for (std::int64_t s = 0; s < std::min(columns, 2 * kSide); s += kSide) {
            edge_tile(steps, side(left, i + r), side(right, j + s), begin.at(s),
                      std::min(rows - r, kSide), std::min(columns - s, kSide),
                      {sums.data + r * ldc + s, ldc});
          }
        }
      }
    }
  }
}

// Room that is aligned to the rows of tiles, grown once for each thread and kept.
class TileBuffer {
 public:
  std::uint8_t* for_tiles(std::int64_t count, std::int64_t depth) {
    const auto tiles = tiles_of(count) * steps_of(depth);
    if (std::ssize(tiles_) < tiles) tiles_.resize(tiles);
    return tiles_.front().bytes;
  }

 private:
  struct alignas(64) Bytes {
    std::uint8_t bytes[kTileBytes];
  };
  std::vector<Bytes> tiles_;
};

// y [n, columns] = start + x W^T with the tiles of W.
FASTFORMER_AMX void multiply_packed(const std::uint8_t* packed, std::int64_t depth,
                                    std::int64_t columns, std::int64_t n, const float* x,
                                    Start<float> start, float* y) {
  thread_local TileBuffer buffer;
  const ConfiguredTiles configured;
  for (std::int64_t i = 0; i < n; i += kBlockRows) {
    const auto rows = std::min(kBlockRows, n - i);
    auto* const left = buffer.for_tiles(rows, depth);
    pack({x + i * depth, depth, /*across=*/false}, rows, depth, /*pairs=*/false, left);
    multiply_block(rows, columns, steps_of(depth), left, packed, start, y + i * columns, columns);
  }
}

}  // namespace

FASTFORMER_AMX void bf16_product_amx(Transpose transpose_a, Transpose transpose_b, std::int64_t m,
                                     std::int64_t n, std::int64_t k, const float* a,
                                     std::int64_t lda, const float* b, std::int64_t ldb,
                                     Start<float> start, float* c, std::int64_t ldc) {
  if (k == 0) begin_product(start, m, n, c, ldc);
  if (m == 0 || n == 0 || k == 0) return;
  thread_local TileBuffer left_buffer, right_buffer;
  const Side left{a, lda, transpose_a == Transpose::kYes};
  const Side right{b, ldb, transpose_b == Transpose::kNo};
  const ConfiguredTiles configured;
  for (std::int64_t j = 0; j < n; j += kBlockColumns) {
    const auto columns = std::min(kBlockColumns, n - j);
    for (std::int64_t p = 0; p < k; p += kBlockDepth) {
      const auto depth = std::min(kBlockDepth, k - p);
      const auto begin = p > 0 ? Start<float>{.keep = true} : start.at(j);
      auto* const right_tiles = right_buffer.for_tiles(columns, depth);
      pack(right.block(j, p), columns, depth, /*pairs=*/true, right_tiles);
      for (std::int64_t i = 0; i < m; i += kBlockRows) {
        const auto rows = std::min(kBlockRows, m - i);
        auto* const left_tiles = left_buffer.for_tiles(rows, depth);
        pack(left.block(i, p), rows, depth, /*pairs=*/false, left_tiles);
        multiply_block(rows, columns, steps_of(depth), left_tiles, right_tiles, begin,
                       c + i * ldc + j, ldc);
      }
    }
  }
}

Bf16Packing bf16_packing_amx() {
  return {
      .size = [](std::int64_t depth,
                 std::int64_t columns) { return tiles_of(columns) * steps_of(depth) * kTileBytes; },
      .pack =
          [](const float* weight, std::int64_t depth, std::int64_t columns, std::uint8_t* packed) {
            pack({weight, depth, /*across=*/false}, columns, depth, /*pairs=*/true, packed);
          },
      .multiply = multiply_packed};
}

}  // namespace fastformer::kernels

#else

namespace fastformer::kernels {

void bf16_product_amx(Transpose, Transpose, std::int64_t, std::int64_t, std::int64_t, const float*,
                      std::int64_t, const float*, std::int64_t, Start<float>, float*,
                      std::int64_t) {}
Bf16Packing bf16_packing_amx() { return {}; }

}  // namespace fastformer::kernels

#endif

#ifndef FASTFORMER_KERNELS_LINEAR_ATTENTION_WORKSPACE
#define FASTFORMER_KERNELS_LINEAR_ATTENTION_WORKSPACE

#include <algorithm>
#include <cstdint>

#include "fastformer/kernels/linear_attention.h"

namespace fastformer::kernels {

/// A piece: the rows of a block that are processed at a time. Each operand is copied to a tile
/// [heads, rows, e], head by head, so that the repeatedly read data of a head is contiguous. It is
/// copied row by row, because memory is fast only for whole rows in order.
struct LinearAttentionPiece {
  std::int64_t first, rows;
  std::int64_t heads, head_width;
  std::int64_t head_stride;  ///< from head to head of a tile

  /// Tiles of 64 KiB of floats, of which the six of a backward pass stay in the L2 cache, as long
  /// as that leaves enough rows to make good use of a state that was loaded.
  static std::int64_t most_rows(const LinearAttentionShape& shape) {
    return std::clamp<std::int64_t>(16384 / (shape.heads * shape.head_width), 16, 64);
  }
  /// Heads at a distance of a power of two would share a few sets of the L1 cache.
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

#endif

// What follows is compiled once for every instruction set; include this file only between Highway's
// target macros.
#if defined(FASTFORMER_KERNELS_LINEAR_ATTENTION_ROWS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FASTFORMER_KERNELS_LINEAR_ATTENTION_ROWS_INL_H
#undef FASTFORMER_KERNELS_LINEAR_ATTENTION_ROWS_INL_H
#else
#define FASTFORMER_KERNELS_LINEAR_ATTENTION_ROWS_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "fastformer/kernels/attention_lanes-inl.h"
#include "fastformer/kernels/state_scan-inl.h"

/// The operations of linear attention on the rows of a tile, except products.
HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {

// phi(x) = elu(x) + 1. Its derivative is min(phi(x), 1). NaN fails the comparison and stays NaN in
// x + 1.
template <class D, class V = hn::Vec<D>, class Real = hn::TFromD<D>>
HWY_INLINE V feature(D d, V x) {
  const auto below = power_of_two(d, hn::Mul(x, hn::Set(d, static_cast<Real>(1.4426950408889634))));
  return hn::IfThenElse(hn::Le(x, hn::Zero(d)), below, hn::Add(x, hn::Set(d, 1)));
}

using Shape = LinearAttentionShape;
using Piece = LinearAttentionPiece;
template <class Real>
using Input = LinearAttentionInput<Real>;
template <class Real>
using Workspace = LinearAttentionWorkspace<Real>;
template <class Real, bool kConst>
using State = std::conditional_t<kConst, const Real*, Real*>;

HWY_INLINE Piece piece_of(const Shape& shape, std::int64_t first) {
  const auto rows = std::min(Piece::most_rows(shape), shape.rows - first);
  return {first, rows, shape.heads, shape.head_width, Piece::head_stride_of(shape)};
}
template <class Body>
HWY_INLINE void for_each_piece(const Shape& shape, const Body& body) {
  const auto step = Piece::most_rows(shape);
  for (std::int64_t first = 0; first < shape.rows; first += step) body(piece_of(shape, first));
}
template <class Body>
HWY_INLINE void for_each_piece_backward(const Shape& shape, const Body& body) {
  const auto step = Piece::most_rows(shape), count = (shape.rows + step - 1) / step;
  for (auto i = count - 1; i >= 0; --i) body(piece_of(shape, i * step));
}

// body(head, at): all heads, each with the place of its first element in a tile.
template <class Body>
HWY_INLINE void for_each_head(const Piece& piece, const Body& body) {
  for (std::int64_t t = 0; t < piece.heads; ++t) body(t, t * piece.head_stride);
}

// body(d, row, tile) for every vector of a piece: `row` counts from its begin in rows that lie
// `stride` apart, `tile` in a tile.
template <class Real, class Body>
HWY_INLINE void for_each_vector(const Piece& piece, std::int64_t stride, const Body& body) {
  const auto e = piece.head_width;
  for (std::int64_t i = 0; i < piece.rows; ++i) {
    for (std::int64_t t = 0; t < piece.heads; ++t) {
      for_each_strip<Real>(e, [&](auto d, auto vectors, std::int64_t j) HWY_ATTR {
        const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
        for (auto c = j; c < j + vectors() * lanes; c += lanes) {
          body(d, i * stride + t * e + c, t * piece.head_stride + i * e + c);
        }
      });
    }
  }
}

template <class Real>
void pack_features(const Piece& piece, const Real* from, std::int64_t stride, Real* tile) {
  from += piece.first * stride;
  for_each_vector<Real>(piece, stride, [&](auto d, std::int64_t row, std::int64_t at) HWY_ATTR {
    hn::StoreU(feature(d, hn::LoadU(d, from + row)), d, tile + at);
  });
}

template <class Real>
void pack_rows(const Piece& piece, const Real* from, std::int64_t stride, Real* tile) {
  from += piece.first * stride;
  for_each_vector<Real>(piece, stride, [&](auto d, std::int64_t row, std::int64_t at) HWY_ATTR {
    hn::StoreU(hn::LoadU(d, from + row), d, tile + at);
  });
}

template <class Real>
void unpack_rows(const Piece& piece, const Real* tile, std::int64_t stride, Real* to) {
  to += piece.first * stride;
  for_each_vector<Real>(piece, stride, [&](auto d, std::int64_t row, std::int64_t at) HWY_ATTR {
    hn::StoreU(hn::LoadU(d, tile + at), d, to + row);
  });
}

// C [rows, e] = A [rows, depth] B [depth, e], or C += A B; the rows of B and C lie e apart.
template <Onto kOnto, class Real>
void product(std::int64_t rows, std::int64_t depth, std::int64_t e, Scattered<Real> a,
             const Real* b, Real* c) {
  for_each_strip<Real>(e, [&](auto d, auto vectors, std::int64_t j) HWY_ATTR {
    multiply_add_strip<kBlockRows, vectors(), kOnto>(d, rows, a, b + j, e, c + j, e, depth);
  });
}

template <class Real>
void transpose(std::int64_t e, const Real* from, Real* to) {
  for (std::int64_t a = 0; a < e; ++a) {
    for (std::int64_t b = 0; b < e; ++b) to[b * e + a] = from[a * e + b];
  }
}

// body(d, j) for vectors of columns.
template <class Real, class Body>
HWY_INLINE void for_each_column(std::int64_t columns, const Body& body) {
  for_each_strip<Real>(columns, [&](auto d, auto vectors, std::int64_t j) HWY_ATTR {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (auto c = j; c < j + vectors() * lanes; c += lanes) body(d, c);
  });
}

// sums[i] += a_i . b_i
template <class Real>
void add_dots(std::int64_t n, std::int64_t e, const Real* a, const Real* b, Real* sums) {
  for_each_strip<Real>(e, [&](auto d, auto vectors, std::int64_t j) HWY_ATTR {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (std::int64_t i = 0; i < n; ++i) {
      auto dot = hn::Zero(d);
      for (auto c = i * e + j; c < i * e + j + vectors() * lanes; c += lanes) {
        dot = hn::MulAdd(hn::LoadU(d, a + c), hn::LoadU(d, b + c), dot);
      }
      sums[i] += hn::GetLane(hn::SumOfLanes(d, dot));
    }
  });
}

// inverse[i] = 1 / (q_i . z + epsilon); the keys, if given, are added to a copy of z one by one.
template <class Real>
void inverse_denominators(std::int64_t n, std::int64_t e, const Real* query, const Real* key,
                          const Real* z, Real* inverse) {
  std::fill(inverse, inverse + n, static_cast<Real>(1e-6));
  for_each_strip<Real>(e, [&](auto d, auto vectors, std::int64_t j) HWY_ATTR {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    hn::Vec<decltype(d)> sum[vectors()];
    for (int v = 0; v < vectors(); ++v) sum[v] = hn::LoadU(d, z + j + v * lanes);
    for (std::int64_t i = 0; i < n; ++i) {
      auto dot = hn::Zero(d);
      for (int v = 0; v < vectors(); ++v) {
        const auto at = i * e + j + v * lanes;
        if (key != nullptr) sum[v] = hn::Add(sum[v], hn::LoadU(d, key + at));
        dot = hn::MulAdd(hn::LoadU(d, query + at), sum[v], dot);
      }
      inverse[i] += hn::GetLane(hn::SumOfLanes(d, dot));
    }
  });
  for (std::int64_t i = 0; i < n; ++i) inverse[i] = 1 / inverse[i];
}

// rows_i *= factors_i
template <class Real>
void scale_rows(std::int64_t n, std::int64_t e, const Real* factors, Real* rows) {
  for_each_column<Real>(e, [&](auto d, std::int64_t j) HWY_ATTR {
    for (std::int64_t i = 0; i < n; ++i) {
      Real* at = rows + i * e + j;
      hn::StoreU(hn::Mul(hn::LoadU(d, at), hn::Set(d, factors[i])), d, at);
    }
  });
}

// z += sum_i factors_i rows_i, or sum_i rows_i where no factors are given.
template <class Real>
void add_rows(std::int64_t n, std::int64_t e, const Real* factors, const Real* rows, Real* z) {
  for_each_strip<Real>(e, [&](auto d, auto vectors, std::int64_t j) HWY_ATTR {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    hn::Vec<decltype(d)> sum[vectors()];
    for (int v = 0; v < vectors(); ++v) sum[v] = hn::LoadU(d, z + j + v * lanes);
    for (std::int64_t i = 0; i < n; ++i) {
      const auto factor = hn::Set(d, factors != nullptr ? factors[i] : Real{1});
      for (int v = 0; v < vectors(); ++v) {
        sum[v] = hn::MulAdd(factor, hn::LoadU(d, rows + i * e + j + v * lanes), sum[v]);
      }
    }
    for (int v = 0; v < vectors(); ++v) hn::StoreU(sum[v], d, z + j + v * lanes);
  });
}

// rows_i = (rows_i + factors_i z) phi'(q_i); keys enter z as in `inverse_denominators`.
template <class Real>
void finish_query_gradient(std::int64_t n, std::int64_t e, const Real* query, const Real* key,
                           const Real* factors, const Real* z, Real* rows) {
  for_each_column<Real>(e, [&](auto d, std::int64_t j) HWY_ATTR {
    const auto one = hn::Set(d, 1);
    auto sum = hn::LoadU(d, z + j);
    for (std::int64_t i = 0; i < n; ++i) {
      if (key != nullptr) sum = hn::Add(sum, hn::LoadU(d, key + i * e + j));
      Real* at = rows + i * e + j;
      const auto slope = hn::Min(hn::LoadU(d, query + i * e + j), one);
      hn::StoreU(hn::Mul(hn::MulAdd(hn::Set(d, factors[i]), sum, hn::LoadU(d, at)), slope), d, at);
    }
  });
}

// rows_i = (rows_i + dz) phi'(k_i); the queries, where they are given, enter dz one by one from the
// last to the first, but dz itself stays.
template <class Real>
void finish_key_gradient(std::int64_t n, std::int64_t e, const Real* key, const Real* query,
                         const Real* factors, const Real* dz, Real* rows) {
  for_each_column<Real>(e, [&](auto d, std::int64_t j) HWY_ATTR {
    const auto one = hn::Set(d, 1);
    auto sum = hn::LoadU(d, dz + j);
    for (auto i = n - 1; i >= 0; --i) {
      if (query != nullptr) {
        sum = hn::MulAdd(hn::Set(d, factors[i]), hn::LoadU(d, query + i * e + j), sum);
      }
      Real* at = rows + i * e + j;
      const auto slope = hn::Min(hn::LoadU(d, key + i * e + j), one);
      hn::StoreU(hn::Mul(hn::Add(hn::LoadU(d, at), sum), slope), d, at);
    }
  });
}

}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard

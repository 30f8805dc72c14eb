#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/kernels/products/gemm.h"

/// Products of 8-bit integers with a scale per row of either side (symmetric quantization, Jacob et
/// al., arXiv 1712.05877):
///   c[i, j] = start + sx[i] sw[j] sum_k qx[i, k] qw[j, k],   |q| <= 127
/// The sums are exact, so that every instruction set gives the same bits.
namespace fastformer::kernels {

/// A row of smaller numbers counts as zeros: the inverse of its factor would not be finite.
inline constexpr float kLeastQuantized = 1e-30F;

/// Quantizes each row of x [rows, columns] to the integers nearest to 127 x / max |x|, and
/// writes the factors max |x| / 127; a row of zeros has the factor 0.
void quantize_rows(const float* x, std::int64_t rows, std::int64_t columns, std::int8_t* quantized,
                   float* scales);

/// The weight [columns, depth] of a layer for many products. Immutable; safe to share between
/// threads.
///
///   const auto weight = Int8Matrix::of(w, in, out);  // w [out, in]
///   weight.multiply(rows, x, {.row = bias}, y);      // y = x W^T + b
class Int8Matrix {
 public:
  /// Sums of more products of bytes could leave 32 bits.
  static constexpr std::int64_t kMostDepth = 65536;

  /// The layout of panels().
  static constexpr std::int64_t kPanel = 16, kGroup = 4;

  Int8Matrix() = default;
  /// Quantizes `weight` [columns, depth]; at most kMostDepth.
  static Int8Matrix of(const float* weight, std::int64_t depth, std::int64_t columns);

  std::int64_t depth() const { return depth_; }
  std::int64_t columns() const { return columns_; }
  explicit operator bool() const { return columns_ > 0; }

  /// y [n, columns] = start + x W^T on the calling thread; quantizes x [n, depth] row by row. Each
  /// row of y depends on its row of x alone, in all bits.
  void multiply(std::int64_t n, const float* x, Start<float> start, float* y) const;

  /// Blocks of 16 columns, groups of 4 along the depth: [columns / 16][depth / 4][16][4],
  /// zero-padded.
  std::span<const std::int8_t> panels() const { return panels_; }
  std::span<const float> scales() const { return scales_; }
  /// 128 times the sum of each row of W, for products with bytes stored as q + 128.
  std::span<const std::int32_t> offsets() const { return offsets_; }
  std::int64_t groups() const { return (depth_ + kGroup - 1) / kGroup; }

 private:
  std::int64_t depth_ = 0, columns_ = 0;
  std::vector<std::int8_t> panels_;
  std::vector<float> scales_;
  std::vector<std::int32_t> offsets_;
};

/// An implementation of the product; each of `rows` has 4 * groups() bytes, stored as q + 128.
using Int8Way = void (*)(const Int8Matrix& weight, std::int64_t n, const std::uint8_t* rows,
                         const float* row_scales, Start<float> start, float* y);

/// In plain C++.
void int8_product_plain(const Int8Matrix& weight, std::int64_t n, const std::uint8_t* rows,
                        const float* row_scales, Start<float> start, float* y);

/// Those that this CPU can use, the fastest first; for tests.
std::vector<Int8Way> int8_ways();

}  // namespace fastformer::kernels

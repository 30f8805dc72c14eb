#pragma once

#include <cstdint>
#include <vector>

#include "fastformer/kernels/products/gemm.h"

namespace fastformer::kernels {

/// How an instruction set stores the weight W [columns, depth] of a layer, rounded to bf16, and
/// multiplies with it: y [n, columns] = start + x W^T for x [n, depth], whose rows are rounded,
/// too.
struct Bf16Packing {
  /// Number of bytes of the stored weight, which begins at a multiple of 64.
  std::int64_t (*size)(std::int64_t depth, std::int64_t columns);
  void (*pack)(const float* weight, std::int64_t depth, std::int64_t columns, std::uint8_t* packed);
  void (*multiply)(const std::uint8_t* packed, std::int64_t depth, std::int64_t columns,
                   std::int64_t n, const float* x, Start<float> start, float* y);
};

/// Those that this CPU can use, the fastest first; the last is plain C++ for any CPU. For tests.
std::vector<Bf16Packing> bf16_packings();

/// The weight [columns, depth] of a layer for many products with operands rounded to bf16 and sums
/// in fp32 (see `bf16_product.h`); rounded and packed once. Immutable; safe to share between
/// threads.
///
///   const auto weight = Bf16Matrix::of(w, in, out);  // w [out, in]
///   weight.multiply(rows, x, {.row = bias}, y);      // y = x W^T + b
class Bf16Matrix {
 public:
  Bf16Matrix() = default;
  static Bf16Matrix of(const float* weight, std::int64_t depth, std::int64_t columns);

  std::int64_t depth() const { return depth_; }
  std::int64_t columns() const { return columns_; }
  explicit operator bool() const { return columns_ > 0; }

  /// y [n, columns] = start + x W^T on the calling thread. Each row of y depends on its row of x
  /// alone, in all bits.
  void multiply(std::int64_t n, const float* x, Start<float> start, float* y) const;

 private:
  struct alignas(64) Line {
    std::uint8_t bytes[64];
  };

  std::int64_t depth_ = 0, columns_ = 0;
  std::vector<Line> packed_;
};

}  // namespace fastformer::kernels

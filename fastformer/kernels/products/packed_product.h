#pragma once

#include <cstdint>
#include <vector>

#include "fastformer/kernels/products/gemm.h"

namespace fastformer::kernels {

/// The right-hand side B [depth, columns] of many products, such as the weight of a layer, packed
/// once into strips in the order in which products read them. The layout depends on the CPU: a
/// matrix is used at the SIMD level at which it was packed. Immutable; safe to share between
/// threads.
///
///   // weight [out, in]; y = x W^T + b
///   const auto packed = PackedMatrix::of(Transpose::kYes, weight, in, in, out);
///   packed.multiply(rows, x, in, {.row = bias}, y, out);
class PackedMatrix {
 public:
  PackedMatrix() = default;
  /// op(B) [depth, columns] of a row-major B whose rows are `ldb` apart.
  static PackedMatrix of(Transpose transpose, const float* b, std::int64_t ldb, std::int64_t depth,
                         std::int64_t columns);

  std::int64_t depth() const { return depth_; }
  std::int64_t columns() const { return columns_; }
  explicit operator bool() const { return columns_ > 0; }

  /// C [m, columns] = start + A B on the calling thread, for a row-major A [m, depth]. Each row of
  /// C depends on its row of A alone, in all bits.
  void multiply(std::int64_t m, const float* a, std::int64_t lda, Start<float> start, float* c,
                std::int64_t ldc) const;

  /// *this = diag(scale) scaled + direct, for packed matrices of one shape; keeps its memory.
  void compose(const PackedMatrix& scaled, const float* scale, const PackedMatrix& direct);

 private:
  std::int64_t depth_ = 0, columns_ = 0;
  std::vector<float> strips_;  // of [depth, width], the last filled up with zeros
};

}  // namespace fastformer::kernels

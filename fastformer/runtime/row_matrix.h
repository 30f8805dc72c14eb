#pragma once

#include <cstdint>

#include "fastformer/kernels/products/bf16_matrix.h"
#include "fastformer/kernels/products/int8_product.h"
#include "fastformer/kernels/products/packed_product.h"

namespace fastformer::runtime {

/// The precision in which the rows of tokens are multiplied.
enum class RowPrecision : std::uint8_t { kFp32, kBf16, kInt8 };

/// The weight W [out, in] of a layer that every token goes through.
class RowMatrix {
 public:
  RowMatrix() = default;
  RowMatrix(const float* weight, std::int64_t in, std::int64_t out, RowPrecision precision) {
    if (precision == RowPrecision::kBf16) {
      halves_ = kernels::Bf16Matrix::of(weight, in, out);
    } else if (precision == RowPrecision::kInt8 && in <= kernels::Int8Matrix::kMostDepth) {
      bytes_ = kernels::Int8Matrix::of(weight, in, out);
    } else {
      floats_ = kernels::PackedMatrix::of(kernels::Transpose::kYes, weight, in, in, out);
    }
  }

  std::int64_t columns() const {
    return bytes_ ? bytes_.columns() : halves_ ? halves_.columns() : floats_.columns();
  }
  explicit operator bool() const { return columns() > 0; }

  bool is_quantized() const { return static_cast<bool>(bytes_); }

  /// The matrix in fp32; empty in other precisions.
  const kernels::PackedMatrix& floats() const { return floats_; }

  /// y [n, out] = start + x W^T for x [n, in]. Each row of y depends on its row of x alone.
  void multiply(std::int64_t n, const float* x, kernels::Start<float> start, float* y) const {
    if (bytes_) {
      bytes_.multiply(n, x, start, y);
    } else if (halves_) {
      halves_.multiply(n, x, start, y);
    } else {
      floats_.multiply(n, x, floats_.depth(), start, y, floats_.columns());
    }
  }

 private:
  kernels::PackedMatrix floats_;
  kernels::Bf16Matrix halves_;
  kernels::Int8Matrix bytes_;
};

}  // namespace fastformer::runtime

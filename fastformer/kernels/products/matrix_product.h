#pragma once

#include <algorithm>
#include <cstdint>

#include "fastformer/kernels/products/gemm.h"

namespace fastformer::kernels {

/// The product of `gemm.h` written with Highway, on the calling thread, in blocks that fit the
/// caches and with the right-hand side packed into strips (Goto and van de Geijn, "Anatomy of
/// High-Performance Matrix Multiplication", 2008).
template <class Real>
void matrix_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                    std::int64_t k, const Real* a, std::int64_t lda, const Real* b,
                    std::int64_t ldb, Start<Real> start, Real* c, std::int64_t ldc);

/// Writes the initial value of a product to C [rows, columns]. Leaves C unchanged if the product is
/// to be added to it.
template <class Real>
void begin_product(Start<Real> start, std::int64_t rows, std::int64_t columns, Real* c,
                   std::int64_t ldc) {
  if (start.keep) return;
  for (std::int64_t i = 0; i < rows; ++i, c += ldc) {
    if (start.row != nullptr) {
      std::copy_n(start.row, columns, c);
    } else {
      std::fill(c, c + columns, Real{0});
    }
  }
}

}  // namespace fastformer::kernels

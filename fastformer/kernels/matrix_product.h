#pragma once

#include <algorithm>
#include <cstdint>

#include "fastformer/kernels/gemm.h"

namespace fastformer::kernels {

/// The product of `gemm.h` in plain Highway code, on the calling thread, in blocks that fit the
/// caches and with the right-hand side repacked into strips (Goto and van de Geijn, "Anatomy of
/// High-Performance Matrix Multiplication", 2008).
///
/// It runs where the BLAS of LibTorch does not know the CPU: that is Intel's MKL, which leaves half
/// of the arithmetic of an AMD core unused.
template <class Real>
void matrix_product(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
                    std::int64_t k, const Real* a, std::int64_t lda, const Real* b,
                    std::int64_t ldb, Start<Real> start, Real* c, std::int64_t ldc);

/// Writes into a block C [rows, columns], whose first column is `column` of the whole product, what
/// the product is added to; a C that is kept stays.
template <class Real>
void begin_product(Start<Real> start, std::int64_t column, std::int64_t rows, std::int64_t columns,
                   Real* c, std::int64_t ldc) {
  if (start.keep) return;
  for (std::int64_t i = 0; i < rows; ++i, c += ldc) {
    if (start.row != nullptr) {
      std::copy_n(start.row + column, columns, c);
    } else {
      std::fill(c, c + columns, Real{0});
    }
  }
}

}  // namespace fastformer::kernels

#pragma once

#include <algorithm>
#include <cstdint>

#include "fastformer/kernels/gemm.h"

namespace fastformer::kernels {

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

#pragma once

#include <cstdint>

namespace fastformer::kernels {

/// Asks for [rows, width] elements, the rows `stride` apart, in the second cache, for kernels that
/// read a few rows side by side: what comes next, the processor does not guess then.
template <class Real>
inline void prefetch_rows(const Real* from, std::int64_t rows, std::int64_t width,
                          std::int64_t stride) {
  constexpr std::int64_t kLine = 64 / sizeof(Real);
  for (std::int64_t i = 0; i < rows; ++i, from += stride) {
    for (std::int64_t c = 0; c < width; c += kLine) __builtin_prefetch(from + c, 0, 2);
  }
}

}  // namespace fastformer::kernels

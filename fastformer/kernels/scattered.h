#pragma once

#include <cstdint>

namespace fastformer::kernels {

/// A matrix that is read one element at a time: (i, k) lies at data[i * row + k * column].
template <class Real>
struct Scattered {
  const Real* data;
  std::int64_t row, column;
};

}  // namespace fastformer::kernels

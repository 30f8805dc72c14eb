#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace fastformer {

/// Vectors of equal width, stored one after another.
struct Vectors {
  std::size_t width = 0;
  std::vector<float> values;  ///< [rows, width]

  std::size_t rows() const { return width == 0 ? 0 : values.size() / width; }
  std::span<const float> row(std::size_t i) const {
    return std::span(values).subspan(i * width, width);
  }
};

}  // namespace fastformer

#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace fastformer::python {

namespace nb = nanobind;

/// A NumPy array [rows, columns] that owns its numbers.
template <class Real>
nb::ndarray<nb::numpy, Real, nb::ndim<2>> array_of(std::vector<Real> values, std::size_t columns) {
  auto owned = std::make_unique<std::vector<Real>>(std::move(values));
  const auto rows = columns == 0 ? 0 : owned->size() / columns;
  auto* const numbers = owned.get();
  nb::capsule owner(owned.release(), [](void* pointer) noexcept {
    delete static_cast<std::vector<Real>*>(pointer);
  });
  return {numbers->data(), {rows, columns}, owner};
}

}  // namespace fastformer::python

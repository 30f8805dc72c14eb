#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/base/vectors.h"

namespace fastformer::data {

/// Vectors with what is known of each.
struct NamedVectors {
  Vectors vectors;
  std::vector<std::string> ids;    ///< of each row; empty: none is known
  std::vector<std::string> texts;  ///< the same
};

/// Reads a file that `fastformer embed` wrote: a .npy (see read_npy), or JSON Lines with the field
/// "vector", a list of numbers, and optional "id" and "text". Throws std::invalid_argument with one
/// sentence that names file and line for vectors of different widths, numbers that are not finite
/// and what is no vector.
NamedVectors read_vectors(const std::filesystem::path& file);

}  // namespace fastformer::data

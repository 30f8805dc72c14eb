#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <span>

#include "fastformer/base/vectors.h"

namespace fastformer::data {

/// Writes vectors as NumPy's .npy: an array [rows, width] of float32, little-endian, in C order,
/// format version 1.0. The rows go straight to the stream; finish() writes their number into the
/// header, so that it need not be known before.
///
///   base::write_file_atomically("vectors.npy", [&](std::ostream& out) {
///     data::NpyWriter writer(out, vectors.width);
///     writer.write(vectors.values);
///     writer.finish();
///   });
class NpyWriter {
 public:
  /// `out` must be able to go back to its beginning, and outlive the writer.
  NpyWriter(std::ostream& out, std::size_t width);

  /// Whole rows.
  void write(std::span<const float> rows);
  void finish();

 private:
  void write_header();

  std::ostream& out_;
  std::size_t width_, values_ = 0;
};

/// Reads an array [rows, width] of float32 or float64 (rounded to float) in C order. Throws
/// std::invalid_argument with one sentence for what is no .npy, is cut off, or has another type,
/// order or number of dimensions, with the command that converts it.
Vectors read_npy(const std::filesystem::path& file);

/// Whether the file begins as a .npy does.
bool is_npy(const std::filesystem::path& file);

}  // namespace fastformer::data

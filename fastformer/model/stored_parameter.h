#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "fastformer/model/parameter_file.h"

namespace fastformer::model {

/// How the numbers of a parameter are stored:
///   kFloat  F32
///   kInt8   I8 [rows, columns]: the row is its integers times `<name>.scale` [rows]
///   kInt4   U8 [kept, (columns + 1) / 2]: two numbers per byte, the first in the lower half, each
///   8 more
///           than the integer from -7 to 7; with `<name>.scale` [kept], and `<name>.rows` [kept],
///           the ascending numbers of the rows that are stored. All other rows are zero.
enum class Storage : std::uint8_t { kFloat, kInt8, kInt4 };

/// Whether a file may omit rows of a parameter, which only Storage::kInt4 can. A file of few
/// bytes could else ask for any amount of memory where all numbers are read.
enum class StoredRows : std::uint8_t { kAll, kSome };

/// A parameter of a mapped file; valid while the file exists.
class StoredParameter {
 public:
  /// Throws std::invalid_argument if the parameter is missing, has another shape or type, or holds
  /// numbers that are not finite.
  StoredParameter(ParameterFile& file, const std::string& name,
                  const std::vector<std::int64_t>& shape, StoredRows rows = StoredRows::kSome);
  StoredParameter() = default;

  Storage storage() const { return storage_; }
  /// Of Storage::kFloat; row by row.
  std::span<const float> floats() const { return floats_; }
  /// All numbers, row by row.
  std::vector<float> values() const;

  /// Adds row i to `to` [columns].
  void add_row(std::int64_t i, float* to) const;
  /// Prefetches row i into the cache.
  void prefetch_row(std::int64_t i) const;

 private:
  void read_int8(ParameterFile& file, const std::string& name);
  void read_int4(ParameterFile& file, const std::string& name);

  Storage storage_ = Storage::kFloat;
  std::int64_t rows_ = 0, columns_ = 0;
  std::span<const float> floats_, scales_;
  std::span<const std::uint8_t> bytes_;
  // kInt4: a bit per row in groups of 64, and the number of stored rows before each group. Unlike a
  // list of positions, this fits in the cache.
  struct Kept {
    std::uint64_t rows = 0;
    std::int64_t before = 0;
  };
  std::int64_t place_of(std::int64_t row) const;  // -1: not stored
  std::vector<Kept> kept_;
};

/// The tensors of a quantized parameter [rows, columns].
struct QuantizedParameter {
  /// Adds them to those of a file, under the names that StoredParameter reads. They view this
  /// object.
  void add_to(std::map<std::string, base::TensorView>& tensors, const std::string& name) const;

  Storage storage = Storage::kInt8;
  std::int64_t columns = 0;
  std::vector<std::int8_t> bytes;
  std::vector<float> scales;
  std::vector<std::int32_t> rows;  ///< of kInt4
};

/// Rounds each number to a multiple of its row's scale: the largest absolute value of the row / 127
/// (kInt8) or / 7 (kInt4). With kInt4, rows of zeros are dropped.
QuantizedParameter quantize(std::span<const float> values, std::int64_t columns, Storage storage);

}  // namespace fastformer::model

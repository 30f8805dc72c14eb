#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>

#include "fastformer/base/config_field.h"
#include "fastformer/data/npy_file.h"

namespace fastformer::cli {

/// The form of a file of vectors.
enum class VectorFormat : std::uint8_t { kAuto, kNpy, kJsonl };

/// That of a file's name, where `chosen` is auto. Throws std::invalid_argument for other names.
VectorFormat vector_format(VectorFormat chosen, const std::filesystem::path& file);

/// Writes vectors, one row each in their order: as .npy (data/npy_file.h), or as JSON Lines with
/// the field "vector" behind those of the record.
class VectorOutput {
 public:
  /// `format` is not auto; for .npy the stream can go back to its beginning.
  VectorOutput(std::ostream& out, VectorFormat format, std::size_t width);

  /// Whether records are written, else only vectors.
  bool has_records() const { return !npy_; }
  /// `record`: an object. Throws std::invalid_argument for a vector that is not finite, and for a
  /// record that has a field "vector".
  void write(const nlohmann::ordered_json& record, std::span<const float> vector);
  void finish();

 private:
  std::ostream& out_;
  std::optional<data::NpyWriter> npy_;
  std::string line_;
  std::int64_t row_ = 0;
};

}  // namespace fastformer::cli

namespace fastformer::base {
template <>
inline constexpr std::array kWords<cli::VectorFormat> = {"auto", "npy", "jsonl"};
}  // namespace fastformer::base

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace fastformer::base {

/// A tensor's bytes with what is needed to read them, as in Hugging Face's safetensors format:
/// an 8-byte little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, data.
/// https://huggingface.co/docs/safetensors
struct TensorView {
  std::string dtype;  ///< "F32", "F64", "I64", "I32", "U8", ..., or one not known here
  std::vector<std::int64_t> shape;  ///< [] for a scalar
  std::span<const std::byte> data;  ///< contiguous, row-major, little-endian
};

/// An opened file; the views live as long as it does.
///
///   const auto file = SafetensorsFile::open(dir / "model.safetensors");
///   const TensorView& weight = file.tensor("embedding.token.weight");
class SafetensorsFile {
 public:
  /// Throws std::invalid_argument with one sentence for a file that is missing, truncated,
  /// oversized, or whose header is not what the format allows
  /// (not JSON, overlapping or out-of-range offsets, holes, duplicate names, negative or
  /// overflowing shapes, size that disagrees with shape, header larger than 100 MB or the file).
  static SafetensorsFile open(const std::filesystem::path& path);

  // A copy's views would point into the bytes of the original.
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;
  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;

  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// Throws std::invalid_argument naming the file and the nearest name it does hold.
  const TensorView& tensor(const std::string& name) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  SafetensorsFile() = default;

  std::filesystem::path path_;
  std::vector<std::byte> bytes_;  ///< the data behind the header
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// Writes atomically (see write_file_atomically). The data starts at a multiple of 8 bytes and is
/// ordered by element size (largest first), then by name: each tensor is aligned to its element
/// although the format allows no gaps, and equal tensors give equal files.
/// Throws std::invalid_argument for an unknown dtype, a size that disagrees with the shape, the
/// reserved name __metadata__ or a name that is not UTF-8; std::runtime_error as the writing does.
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace fastformer::base

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fastformer::base {

/// The bytes of a tensor with its type and shape, as in Hugging Face's safetensors format: the
/// length of the header (8 bytes, little-endian), a JSON header {name: {dtype, shape,
/// data_offsets}}, the data. https://huggingface.co/docs/safetensors
struct TensorView {
  std::string dtype;  ///< "F32", "F64", "I64", "I32", "U8", ..., or one not known here
  std::vector<std::int64_t> shape;  ///< [] for a scalar
  std::span<const std::byte> data;  ///< contiguous, row-major, little-endian
};

/// An open file; its views are valid while the object exists.
///
///   const auto file = SafetensorsFile::open(dir / "model.safetensors");
///   const TensorView& weight = file.tensor("embedding.token.weight");
class SafetensorsFile {
 public:
  /// Throws std::invalid_argument if the file is missing, truncated or oversized, has an unknown
  /// dtype, or has a header that the format does not allow: not JSON, overlapping or out-of-range
  /// offsets, gaps, duplicate names, negative or overflowing shapes, a size that does not match the
  /// shape, or a header of more than 100 MB or longer than the file.
  static SafetensorsFile open(const std::filesystem::path& path);
  /// The same, but the tensors stay in the file, which is mapped into memory: processes that map it
  /// share them, and what is not read is not loaded. For files that are replaced and never changed
  /// in place, as those of a model directory. Throws std::runtime_error if the system maps no file.
  static SafetensorsFile map(const std::filesystem::path& path);

  // Views of a copy would point into the bytes of the original.
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;
  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;

  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// Throws std::invalid_argument for an unknown name, naming the file and its nearest name.
  const TensorView& tensor(const std::string& name) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  SafetensorsFile() = default;
  static SafetensorsFile read(const std::filesystem::path& path, bool mapped);

  std::filesystem::path path_;
  std::vector<std::byte> bytes_;         ///< the data after the header, unless it is mapped
  std::shared_ptr<const void> mapping_;  ///< of the whole file
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// Writes atomically (see write_file_atomically). The data starts at a multiple of 8 bytes and is
/// ordered by element size (largest first), then by name. So each tensor is aligned to its element
/// size although the format allows no gaps, and equal tensors give equal files. Throws
/// std::invalid_argument for an unknown dtype, a size that does not match the shape, the reserved
/// name __metadata__, or a name that is not UTF-8, std::runtime_error if writing fails.
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// The size of that file, in bytes. Throws as write_safetensors() does.
std::uint64_t safetensors_size(const std::map<std::string, TensorView>& tensors,
                               const std::map<std::string, std::string>& metadata = {});

}  // namespace fastformer::base

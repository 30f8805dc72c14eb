#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace fastformer::train {

/// CRC-32C (Castagnoli, RFC 3720), the checksum of TFRecord files.
std::uint32_t crc32c(std::string_view bytes);

/// One TFRecord: length (8 bytes), masked crc32c of these 8 bytes, content, its masked crc32c; all
/// little-endian. https://www.tensorflow.org/tutorials/load_data/tfrecord
std::string tfrecord(std::string_view content);

/// Scalars for TensorBoard, in an event file in `directory`.
///
///   TensorboardWriter writer(run_directory);
///   writer.add_scalar("train/loss", loss, step);
///   writer.flush();
///
/// A run that resumes opens the same directory with the first step it is about to do: the newest
/// event file is continued, and TensorBoard drops the points that the stopped run had written at
/// that step or later. The file is cut after its last undamaged record: a crash may have left half
/// of one, beyond which TensorBoard does not read.
class TensorboardWriter {
 public:
  /// Throws std::runtime_error when the directory or the file cannot be written.
  explicit TensorboardWriter(const std::filesystem::path& directory, std::int64_t first_step = 0);

  /// Stored as float32. Throws std::runtime_error when the disk refuses.
  void add_scalar(const std::string& tag, double value, std::int64_t step);
  void flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  void write(std::string_view event);

  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace fastformer::train

#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace fastformer::train {

/// CRC-32C (Castagnoli, RFC 3720), the checksum of TFRecord files.
std::uint32_t crc32c(std::string_view bytes);

/// One TFRecord: length (8 bytes), masked CRC-32C of these 8 bytes, content, masked CRC-32C of the
/// content; all little-endian. https://www.tensorflow.org/tutorials/load_data/tfrecord
std::string tfrecord(std::string_view content);

/// Writes scalars for TensorBoard to an event file in `directory`.
///
///   TensorboardWriter writer(run_directory);
///   writer.add_scalar("train/loss", loss, step);
///   writer.flush();
///
/// A resumed run opens the same directory with its first step. The writer appends to the newest
/// event file, and TensorBoard drops the points that the stopped run wrote at that step or later.
/// The file is truncated after its last undamaged record, because TensorBoard does not read past a
/// record that a crash left incomplete.
class TensorboardWriter {
 public:
  /// Throws std::runtime_error if the directory or the file cannot be written.
  explicit TensorboardWriter(const std::filesystem::path& directory, std::int64_t first_step = 0);

  /// Stored as float32. Throws std::runtime_error if the file cannot be written.
  void add_scalar(const std::string& tag, double value, std::int64_t step);
  void flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  void write(std::string_view event);
  [[noreturn]] void throw_unwritten() const;

  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace fastformer::train

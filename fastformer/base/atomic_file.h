#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <limits>
#include <string>
#include <string_view>

namespace fastformer::base {

/// Replaces `path` with what `write` puts into the stream, or leaves it as it was.
///
/// The bytes go to a temporary file in the same folder, are flushed to the disk (fsync), and the
/// file is renamed over `path`; a reader or a crash sees the old file or the new one, never a part.
///
///   base::write_file_atomically(dir / "config.json", [&](std::ostream& out) { out << text; });
///
/// Throws std::runtime_error naming the path and the cause (folder missing, disk full, no
/// permission); the temporary file is removed.
void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(std::ostream&)>& write);
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// The whole file as bytes, or its first `most`, since a pipe or device may have no end. Throws
/// std::invalid_argument when it is missing, a folder or unreadable.
std::string read_file(const std::filesystem::path& path,
                      std::size_t most = std::numeric_limits<std::size_t>::max());

/// Throws std::invalid_argument for what is there, but no regular file: a pipe or a device may have
/// no end.
void check_regular_file(const std::filesystem::path& path);

/// read_file() for a file of settings or a vocabulary, such as those of a model directory. Throws
/// for one of more than 64 MB and for what is no regular file, such as a pipe, which may have no
/// end.
std::string read_small_file(const std::filesystem::path& path);
inline constexpr std::uintmax_t kMostSmallBytes = std::uintmax_t{64} << 20;

/// Creates a folder and those above it that are missing; one that is there may stay. Throws
/// std::runtime_error naming the path and the cause.
void create_folder(const std::filesystem::path& path);

/// Makes a rename or a new file in `directory` durable.
void sync_directory(const std::filesystem::path& directory);

}  // namespace fastformer::base

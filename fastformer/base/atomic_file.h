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

/// Replaces `path` with what `write` writes to the stream, or leaves it unchanged if that fails.
///
/// The bytes go to a temporary file in the same folder, which is flushed to disk (fsync) and then
/// renamed to `path`. A reader sees the old file or the new one, even after a crash.
///
///   base::write_file_atomically(dir / "config.json", [&](std::ostream& out) { out << text; });
///
/// The stream can go back to a position (`seekp`), for what is known only at the end.
///
/// Throws std::runtime_error naming the path and the cause (missing folder, full disk, no
/// permission); the temporary file is removed.
void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(std::ostream&)>& write);
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Returns the content of a file as bytes, or its first `most`, since a pipe or device may have no
/// end. Throws std::invalid_argument if the path is missing, is a folder, or cannot be read.
std::string read_file(const std::filesystem::path& path,
                      std::size_t most = std::numeric_limits<std::size_t>::max());

/// Throws std::invalid_argument if the path exists but is not a regular file: a pipe or a device
/// may have no end.
void check_regular_file(const std::filesystem::path& path);

/// The same for small files, such as settings and vocabularies. Also throws for a file of more than
/// 64 MiB and for anything that is not a regular file, such as an endless pipe.
std::string read_small_file(const std::filesystem::path& path);
inline constexpr std::uintmax_t kMostSmallBytes = std::uintmax_t{64} << 20;

/// "x.csv: does not exist; check the path", with advice about a path in which TOML has read
/// escapes.
std::string not_found(const std::string& name);

/// Creates a folder and its missing parents; does nothing if the folder exists. Throws
/// std::runtime_error naming the path and the cause.
void create_folder(const std::filesystem::path& path);

/// Makes the creation or renaming of a file in `directory` durable (fsync).
void sync_directory(const std::filesystem::path& directory);

}  // namespace fastformer::base

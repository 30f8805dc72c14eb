#pragma once

#include <filesystem>

namespace fastformer::base {

/// Files and folders with random temporary names next to their destination ("place"), such as
/// "model.tmp.x2k9q0w4b7da". While the object exists, its process holds a system lock on them, so
/// that other processes can recognize what a killed process left behind (see remove_leftovers).
/// Creating one removes what killed processes left behind for the same place.

/// A file with a temporary name, open for writing, with the permissions that the umask allows. The
/// destructor removes the file unless it has been moved into its place.
class FreshFile {
 public:
  /// Throws as throw_write_error() does.
  explicit FreshFile(const std::filesystem::path& place);
  FreshFile(const FreshFile&) = delete;
  FreshFile& operator=(const FreshFile&) = delete;
  ~FreshFile();

  int descriptor() const { return descriptor_; }
  /// Flushes the file to the disk, closes it, and renames it to its place, replacing what is there.
  /// Throws as throw_write_error() does.
  void move_into_place();

 private:
  std::filesystem::path place_, path_;
  int descriptor_ = -1;
};

/// A folder with a temporary name. The destructor removes the folder and its content unless it has
/// been moved into its place.
class FreshFolder {
 public:
  /// Creates missing parent folders. Throws as throw_write_error() does.
  explicit FreshFolder(const std::filesystem::path& place);
  FreshFolder(const FreshFolder&) = delete;
  FreshFolder& operator=(const FreshFolder&) = delete;
  ~FreshFolder();

  const std::filesystem::path& path() const { return path_; }
  /// Renames the folder to its place. If a folder exists there, the two are exchanged atomically,
  /// and path() then holds the former one. Throws as throw_write_error() does.
  void move_into_place();
  /// The same, but only if the place is free or an empty folder; returns false if another process
  /// has taken it.
  bool move_into_free_place();

 private:
  std::filesystem::path place_, path_;
  int descriptor_ = -1;
};

/// `path` with a random suffix that no other process uses.
std::filesystem::path fresh_name(const std::filesystem::path& path);

/// Removes files and folders in `folder` that have a suffix of fresh_name() and were left by killed
/// processes. Files that a running process is writing stay, as does everything else.
void remove_leftovers(const std::filesystem::path& folder);

/// Throws std::runtime_error that names the path and the cause; `error` is an errno value.
[[noreturn]] void throw_write_error(const std::filesystem::path& path, int error);

}  // namespace fastformer::base

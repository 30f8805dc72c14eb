#pragma once

#include <filesystem>

namespace fastformer::base {

/// Files and folders of a random name beside the place that they are made for, such as
/// "model.tmp.x2k9q0w4b7da". While the object lives, its process holds a lock of the system on what
/// it made, so that others can tell what a killed process left (see remove_leftovers).
/// Making one removes what killed processes left for the same place.

/// A file under a fresh name, open for writing, with the permissions that the umask leaves. The
/// destructor removes it unless it was moved into its place.
class FreshFile {
 public:
  /// Throws as throw_write_error() does.
  explicit FreshFile(const std::filesystem::path& place);
  FreshFile(const FreshFile&) = delete;
  FreshFile& operator=(const FreshFile&) = delete;
  ~FreshFile();

  int descriptor() const { return descriptor_; }
  /// Flushes the file to the disk, closes it and renames it over its place. Throws as
  /// throw_write_error() does.
  void move_into_place();

 private:
  std::filesystem::path place_, path_;
  int descriptor_ = -1;
};

/// A folder under a fresh name. The destructor removes it with all that is in it, unless it was
/// moved into its place.
class FreshFolder {
 public:
  /// Creates missing folders above it. Throws as throw_write_error() does.
  explicit FreshFolder(const std::filesystem::path& place);
  FreshFolder(const FreshFolder&) = delete;
  FreshFolder& operator=(const FreshFolder&) = delete;
  ~FreshFolder();

  const std::filesystem::path& path() const { return path_; }
  /// Renames it to its place. Where a folder is there, the two change places in one step, and
  /// path() is the former one. Throws as throw_write_error() does.
  void move_into_place();
  /// The same where nothing, or an empty folder, is to be there; false if another process was
  /// first.
  bool move_into_free_place();

 private:
  std::filesystem::path place_, path_;
  int descriptor_ = -1;
};

/// `path` with a random ending that no other process takes.
std::filesystem::path fresh_name(const std::filesystem::path& path);

/// Removes the files and folders with the ending of fresh_name() that killed processes left in
/// `folder`. What a living process is writing stays, as does everything else.
void remove_leftovers(const std::filesystem::path& folder);

/// Throws std::runtime_error that names the path and the cause `error`, an errno.
[[noreturn]] void throw_write_error(const std::filesystem::path& path, int error);

}  // namespace fastformer::base

#pragma once

#include <filesystem>
#include <stdexcept>

namespace fastformer::train {

/// Thrown where another process has the folder.
struct FolderInUse : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// While it lives, no other process can lock the folder. The lock is one of the system on the file
/// `.lock` in it, and ends with the process, however that ends.
class FolderLock {
 public:
  enum class IfTaken { kThrow, kWait };

  /// Throws FolderInUse when another process has it (unless told to wait), std::runtime_error when
  /// the folder cannot be written.
  explicit FolderLock(const std::filesystem::path& folder, IfTaken if_taken = IfTaken::kThrow);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  int descriptor_;
};

}  // namespace fastformer::train

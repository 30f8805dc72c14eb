#include "fastformer/train/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace fastformer::train {

FolderLock::FolderLock(const std::filesystem::path& folder, IfTaken if_taken) {
  const auto path = folder / ".lock";
  descriptor_ = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw std::runtime_error(path.string() + ": cannot be written (" + std::strerror(errno) + ")");
  }
  const int operation = if_taken == IfTaken::kWait ? LOCK_EX : LOCK_EX | LOCK_NB;
  int failed = flock(descriptor_, operation);
  while (failed != 0 && errno == EINTR) failed = flock(descriptor_, operation);
  if (failed != 0) {
    close(descriptor_);
    throw FolderInUse(folder.string() +
                      " is in use by another process; wait for it, or give another --output");
  }
}

FolderLock::~FolderLock() { close(descriptor_); }

}  // namespace fastformer::train

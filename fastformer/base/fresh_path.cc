#include "fastformer/base/fresh_path.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "fastformer/base/atomic_file.h"

namespace fastformer::base {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = ".tmp.";
constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kRandomDigits = 12;

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

bool is_fresh_name(std::string_view name) {
  if (name.size() <= kMark.size() + kRandomDigits) return false;
  const auto digits = name.substr(name.size() - kRandomDigits);
  name.remove_suffix(kRandomDigits);
  return name.ends_with(kMark) && digits.find_first_not_of(kDigits) == std::string_view::npos;
}

bool lock(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0; }

// Whether this process has what it made. remove_leftovers() of another may have come between the
// making and the lock. Some network file systems have no locks: there nobody removes leftovers.
bool take(int descriptor) {
  struct stat status{};
  if (!lock(descriptor) && errno == EWOULDBLOCK) return false;
  return ::fstat(descriptor, &status) == 0 && status.st_nlink > 0;
}

// Removes what no living process holds of the files and folders of fresh names in `folder`; an
// empty place: those of any.
void remove_fresh(const fs::path& folder, const std::string& place) {
  const auto of_place = [&](std::string_view name) {
    name.remove_suffix(kMark.size() + kRandomDigits);
    return place.empty() || name == place;
  };
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (is_fresh_name(name) && of_place(name)) found.push_back(entry->path());
  }
  for (const auto& path : found) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) continue;
    if (lock(descriptor)) fs::remove_all(path, error);
    ::close(descriptor);
  }
}

// Calls `open` with fresh names, which returns a descriptor, until one is this process's.
template <class Open>
std::pair<fs::path, int> make_fresh(const fs::path& place, const Open& open) {
  remove_fresh(folder_of(place), place.filename().string());
  while (true) {
    auto path = fresh_name(place);
    const int descriptor = open(path);
    if (descriptor < 0 && (errno == EEXIST || errno == ENOENT) && fs::exists(folder_of(path))) {
      continue;
    }
    if (descriptor < 0) throw_write_error(place, errno);
    if (take(descriptor)) return {std::move(path), descriptor};
    ::close(descriptor);
  }
}

int open_folder(const fs::path& path) {
  return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

int make_folder(const fs::path& path) {
  return ::mkdir(path.c_str(), 0777) == 0 ? open_folder(path) : -1;
}

void rename_path(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw_write_error(to, errno);
}

}  // namespace

void throw_write_error(const fs::path& path, int error) {
  throw std::runtime_error(path.string() +
                           ": cannot be written: " + std::generic_category().message(error) +
                           "; check the folder, its permissions and the free space");
}

fs::path fresh_name(const fs::path& path) {
  std::array<unsigned char, kRandomDigits> random;
  // 256 is no multiple of 36; names need not be uniform.
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    throw_write_error(path, errno);
  }
  auto name = path.has_filename() ? path : path.parent_path();
  name += std::string(kMark);
  for (const auto byte : random) name += kDigits[byte % kDigits.size()];
  return name;
}

FreshFile::FreshFile(const fs::path& place) : place_(place) {
  std::tie(path_, descriptor_) = make_fresh(place, [](const fs::path& path) {
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  });
}

FreshFile::~FreshFile() {
  if (descriptor_ < 0) return;
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

void FreshFile::move_into_place() {
  if (::fsync(descriptor_) != 0) throw_write_error(place_, errno);
  rename_path(path_, place_);
  const int closed = ::close(std::exchange(descriptor_, -1));
  if (closed != 0) throw_write_error(place_, errno);
  sync_directory(folder_of(place_));
}

FreshFolder::FreshFolder(const fs::path& place)
    : place_(place.has_filename() ? place : place.parent_path()) {
  create_folder(folder_of(place_));
  std::tie(path_, descriptor_) = make_fresh(place_, make_folder);
}

FreshFolder::~FreshFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
  ::close(descriptor_);
}

void FreshFolder::move_into_place() {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(place_, error))) {
    rename_path(path_, place_);
    path_.clear();
  } else if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, place_.c_str(), RENAME_EXCHANGE) != 0) {
    // Some file systems cannot exchange; there, a crash between the two leaves the old one aside.
    if (errno != EINVAL && errno != ENOSYS) throw_write_error(place_, errno);
    const auto old = fresh_name(path_);
    rename_path(place_, old);
    rename_path(path_, place_);
    path_ = old;
  }
  sync_directory(folder_of(place_));
}

bool FreshFolder::move_into_free_place() {
  if (::rename(path_.c_str(), place_.c_str()) != 0) {
    if (errno == EEXIST || errno == ENOTEMPTY) return false;
    throw_write_error(place_, errno);
  }
  path_.clear();
  sync_directory(folder_of(place_));
  return true;
}

void remove_leftovers(const fs::path& folder) { remove_fresh(folder, ""); }

}  // namespace fastformer::base

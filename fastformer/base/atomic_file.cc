#include "fastformer/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <ostream>
#include <stdexcept>
#include <streambuf>
#include <system_error>
#include <vector>

#include "fastformer/base/fresh_path.h"
#include "fastformer/base/printable.h"

namespace fastformer::base {
namespace {

namespace fs = std::filesystem;

// A stream buffer over a descriptor that keeps errno: std::ofstream tells only that it failed.
class DescriptorBuffer : public std::streambuf {
 public:
  explicit DescriptorBuffer(int descriptor) : descriptor_(descriptor), buffer_(kCapacity) {
    setp(buffer_.data(), buffer_.data() + buffer_.size());
  }
  int error() const { return error_; }

 protected:
  int_type overflow(int_type byte) override {
    if (!drain()) return traits_type::eof();
    if (!traits_type::eq_int_type(byte, traits_type::eof())) sputc(static_cast<char>(byte));
    return traits_type::not_eof(byte);
  }
  int sync() override { return drain() ? 0 : -1; }
  pos_type seekpos(pos_type place, std::ios_base::openmode) override {
    if (!drain()) return pos_type(off_type{-1});
    if (::lseek(descriptor_, static_cast<off_t>(place), SEEK_SET) < 0) error_ = errno;
    return error_ == 0 ? place : pos_type(off_type{-1});
  }
  std::streamsize xsputn(const char* data, std::streamsize size) override {
    if (size < static_cast<std::streamsize>(kCapacity)) {
      return std::streambuf::xsputn(data, size);
    }
    return drain() && write_all(data, static_cast<std::size_t>(size)) ? size : 0;
  }

 private:
  static constexpr std::size_t kCapacity = std::size_t{1} << 16;

  bool drain() {
    const bool written = write_all(pbase(), static_cast<std::size_t>(pptr() - pbase()));
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return written;
  }
  bool write_all(const char* data, std::size_t size) {
    while (size > 0 && error_ == 0) {
      const ssize_t count = ::write(descriptor_, data, size);
      if (count < 0) {
        if (errno != EINTR) error_ = errno;
        continue;
      }
      data += count;
      size -= static_cast<std::size_t>(count);
    }
    return error_ == 0;
  }

  int descriptor_;
  int error_ = 0;
  std::vector<char> buffer_;
};

// A link is followed, so that the file it names is replaced and not the link. What is no regular
// file is refused: a rename would put a file in the place of a device such as /dev/null.
fs::path resolve_target(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return path;
  if (!fs::is_regular_file(path, error)) {
    throw std::runtime_error(path.string() +
                             ": cannot be written because it is a folder or a device; give the "
                             "path of a regular file");
  }
  return fs::is_symlink(path, error) ? fs::canonical(path) : path;
}

}  // namespace

void write_file_atomically(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  const fs::path target = resolve_target(path);
  FreshFile file(target);
  struct stat old{};
  if (::stat(target.c_str(), &old) == 0 &&
      ::fchmod(file.descriptor(), old.st_mode & static_cast<mode_t>(07777)) != 0) {
    throw_write_error(target, errno);
  }
  DescriptorBuffer buffer(file.descriptor());
  std::ostream stream(&buffer);
  write(stream);
  stream.flush();
  if (!stream) throw_write_error(path, buffer.error() != 0 ? buffer.error() : EIO);
  file.move_into_place();
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_file_atomically(path, [content](std::ostream& out) {
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
  });
}

std::string not_found(const std::string& name) {
  const bool relative = fs::path(name).is_relative();
  return name + ": does not exist; check the path" +
         (relative ? ", which is relative to the working directory" : "") +
         (has_control_characters(name)
              ? ", and write its backslashes as / or the path in '...': between double quotes TOML "
                "reads them as escapes"
              : "");
}

void create_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    throw std::runtime_error(path.string() + ": cannot be created (" + error.message() +
                             "); check the path and the permissions of the folder above it");
  }
}

std::string read_file(const fs::path& path, std::size_t most) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    throw std::invalid_argument(path.string() + ": is a folder, but a file was expected");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw std::invalid_argument(path.string() +
                                ": cannot be opened: " + std::generic_category().message(errno) +
                                "; check the path and its permissions");
  }
  std::string content;
  std::vector<char> block(std::size_t{1} << 16);
  do {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    content.append(block.data(), static_cast<std::size_t>(in.gcount()));
  } while (in && content.size() < most);
  if (in.bad()) {
    throw std::invalid_argument(path.string() + ": cannot be read to the end; check the disk");
  }
  if (content.size() > most) content.resize(most);
  return content;
}

void check_regular_file(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status) || fs::is_regular_file(status)) return;
  throw std::invalid_argument(path.string() +
                              ": is not a regular file; give the path of a regular file");
}

std::string read_small_file(const fs::path& path) {
  check_regular_file(path);
  std::error_code error;
  if (fs::exists(path, error) && fs::file_size(path, error) > kMostSmallBytes) {
    throw std::invalid_argument(
        path.string() + ": is larger than 64 MB, the limit for such a file; check the path");
  }
  return read_file(path);
}

void sync_directory(const fs::path& directory) {
  const fs::path folder = directory.empty() ? fs::path(".") : directory;
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw_write_error(folder, errno);
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // Some network file systems cannot sync a folder and say EINVAL; nothing more can be done there.
  if (error != 0 && error != EINVAL) throw_write_error(folder, error);
}

}  // namespace fastformer::base

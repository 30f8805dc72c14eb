#include "fastformer/data/byte_source.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <new>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"
#include "fastformer/data/file_kind.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = std::size_t{1} << 18;

std::string display_name(const fs::path& path) {
  return path == "-" ? std::string("standard input") : path.string();
}

void check_path(const fs::path& path, const std::string& name) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw std::invalid_argument(base::not_found(name));
  }
  if (fs::is_directory(status)) {
    throw std::invalid_argument(name + ": is a folder, but a file was expected");
  }
  if (::access(path.c_str(), R_OK) != 0) {
    throw std::invalid_argument(name + ": cannot be opened: " +
                                std::generic_category().message(errno) + "; check its permissions");
  }
}

// What the systems that make archives add to them.
bool is_litter(const fs::path& member) {
  const auto name = member.filename().string();
  return name.starts_with("._") || name == ".DS_Store" || member.string().starts_with("__MACOSX/");
}

}  // namespace

void ByteSource::Close::operator()(archive* handle) const { archive_read_free(handle); }

ByteSource::ByteSource(const fs::path& path) : name_(display_name(path)) {
  if (path != "-") check_path(path, name_);
  open(path);
  std::string member;
  at_end_ = !next_member(member);
  const int format = archive_format(archive_.get());
  const bool is_archive = format != ARCHIVE_FORMAT_RAW && format != ARCHIVE_FORMAT_EMPTY;
  if (is_archive && at_end_) {
    // Blocks of NUL, such as a file system may leave after a crash, are a tar archive of nothing.
    throw std::invalid_argument(name_ +
                                ": holds only NUL bytes, or is an archive without a file; fetch or "
                                "write it again");
  }
  if (is_archive) {
    open_member(path);
    name_ += "/" + base::excerpt(member);
  }
}

// A file can be read twice: the first time for the names of its members.
void ByteSource::open_member(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return;
  ByteSource listing;
  listing.name_ = name_;
  listing.open(path);
  std::vector<std::string> members;
  for (std::string member; listing.next_member(member);) {
    members.push_back(member);
    if (const auto* kind = kind_of_member(member)) refuse_kind(*kind, name_);
  }
  if (members.size() == 1) return;
  std::string names;
  for (std::size_t i = 0; i < members.size() && i < 5; ++i)
    names += " " + base::excerpt(members[i]);
  throw std::invalid_argument(name_ + ": is an archive of " + std::to_string(members.size()) +
                              " files; unpack it and choose one of them:" + names +
                              (members.size() > 5 ? " ..." : ""));
}

std::optional<ByteSource> ByteSource::in_zip(const fs::path& archive, const std::string& name) {
  ByteSource source;
  source.name_ = archive.string();
  source.only_member_ = false;
  check_path(archive, source.name_);
  source.open(archive);
  for (std::string member; source.next_member(member);) {
    if (archive_format(source.archive_.get()) != ARCHIVE_FORMAT_ZIP) {
      throw std::invalid_argument(
          source.name_ + ": is not a zip archive, or is damaged; download or create it again");
    }
    if (fs::path(member).filename() != name) continue;
    source.name_ = (archive / name).string();
    return source;
  }
  return std::nullopt;
}

void ByteSource::open(const fs::path& path) {
  archive_.reset(archive_read_new());
  archive* const handle = archive_.get();
  if (handle == nullptr) throw std::bad_alloc();
  // Only these filters and formats: others, such as uuencode, take ordinary text for their own.
  archive_read_support_filter_gzip(handle);
  archive_read_support_filter_zstd(handle);
  archive_read_support_filter_bzip2(handle);
  archive_read_support_filter_xz(handle);
  archive_read_support_format_zip(handle);
  archive_read_support_format_tar(handle);
  archive_read_support_format_raw(handle);
  archive_read_support_format_empty(handle);
  const int opened = path == "-" ? archive_read_open_fd(handle, STDIN_FILENO, kBlockBytes)
                                 : archive_read_open_filename(handle, path.c_str(), kBlockBytes);
  if (opened != ARCHIVE_OK) fail("cannot be opened");
}

// Goes to the next member that is a file; false at the end.
bool ByteSource::next_member(std::string& member) {
  archive_entry* entry = nullptr;
  while (true) {
    const int result = archive_read_next_header(archive_.get(), &entry);
    if (result == ARCHIVE_EOF) return false;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail("cannot be read");
    const char* const path = archive_entry_pathname(entry);
    member = path != nullptr ? path : "";
    const auto type = archive_entry_filetype(entry);
    if ((type == 0 || type == AE_IFREG) && !is_litter(member)) return true;
  }
}

void ByteSource::fail(const std::string& cause) const {
  const char* reason = archive_error_string(archive_.get());
  throw std::invalid_argument(name_ + ": " + cause + " (" +
                              (reason != nullptr ? base::excerpt(reason) : "unknown cause") +
                              "); the file is damaged or incomplete: download or create it again");
}

std::string_view ByteSource::read() {
  while (!at_end_) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int result = archive_read_data_block(archive_.get(), &data, &size, &offset);
    if (result == ARCHIVE_EOF) {
      at_end_ = true;
      if (only_member_) check_no_other_member();
    } else if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
      fail("cannot be read");
    } else if (size > 0) {
      return {static_cast<const char*>(data), size};
    }
  }
  return {};
}

// Of a pipe the members are known only now.
void ByteSource::check_no_other_member() {
  if (std::string member; next_member(member)) {
    throw std::invalid_argument(name_ + ": is followed by " + base::excerpt(member) +
                                " in the same archive; give an archive that contains one file");
  }
}

std::string_view ByteSource::next() {
  const auto block = read();
  if (!started_) {
    started_ = true;
    if (const auto* kind = kind_of_bytes(block)) refuse_kind(*kind, name_);
  }
  return block;
}

}  // namespace fastformer::data

#include "fastformer/data/line_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = std::size_t{1} << 18;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string display_name(const fs::path& path) {
  return path == "-" ? std::string("standard input") : path.string();
}

void check_path(const fs::path& path, const std::string& name) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw std::invalid_argument(name + ": does not exist; check the path");
  }
  if (fs::is_directory(status)) {
    throw std::invalid_argument(name + ": is a folder, but a file was expected");
  }
  if (::access(path.c_str(), R_OK) != 0) {
    throw std::invalid_argument(name + ": cannot be opened: " +
                                std::generic_category().message(errno) + "; check its permissions");
  }
}

}  // namespace

void LineStream::Close::operator()(archive* handle) const { archive_read_free(handle); }

LineStream::LineStream(const fs::path& path) : name_(display_name(path)) {
  if (path != "-") check_path(path, name_);
  open(path, archive_read_support_format_raw);
  archive_entry* entry = nullptr;
  at_end_ = !next_header(entry);
}

std::optional<LineStream> LineStream::in_zip(const fs::path& archive, const std::string& name) {
  LineStream stream;
  stream.name_ = archive.string();
  check_path(archive, stream.name_);
  stream.open(archive, archive_read_support_format_zip);
  for (archive_entry* entry = nullptr; stream.next_header(entry);) {
    const char* const path = archive_entry_pathname(entry);
    if (path == nullptr || fs::path(path).filename() != name) continue;
    stream.name_ = (archive / name).string();
    return stream;
  }
  return std::nullopt;
}

void LineStream::open(const fs::path& path, int (*support_format)(archive*)) {
  archive_.reset(archive_read_new());
  archive* const handle = archive_.get();
  if (handle == nullptr) throw std::bad_alloc();
  // Only these filters: others, such as uuencode, take ordinary text for their own.
  archive_read_support_filter_gzip(handle);
  archive_read_support_filter_zstd(handle);
  archive_read_support_filter_bzip2(handle);
  archive_read_support_filter_xz(handle);
  support_format(handle);
  archive_read_support_format_empty(handle);
  const int opened = path == "-" ? archive_read_open_fd(handle, STDIN_FILENO, kBlockBytes)
                                 : archive_read_open_filename(handle, path.c_str(), kBlockBytes);
  if (opened != ARCHIVE_OK) fail("cannot be opened");
}

// False at the end.
bool LineStream::next_header(archive_entry*& entry) {
  const int result = archive_read_next_header(archive_.get(), &entry);
  if (result != ARCHIVE_OK && result != ARCHIVE_EOF) fail("cannot be read");
  return result == ARCHIVE_OK;
}

void LineStream::fail(const std::string& cause) const {
  const char* reason = archive_error_string(archive_.get());
  throw std::invalid_argument(name_ + ": " + cause + " after line " + std::to_string(line_number_) +
                              " (" + (reason != nullptr ? reason : "unknown cause") +
                              "); the file is damaged or incomplete, fetch or write it again");
}

bool LineStream::read_block() {
  while (!at_end_ && block_.empty()) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int result = archive_read_data_block(archive_.get(), &data, &size, &offset);
    if (result == ARCHIVE_EOF) {
      at_end_ = true;
    } else if (result != ARCHIVE_OK) {
      fail("cannot be read");
    } else {
      block_ = {static_cast<const char*>(data), size};
    }
  }
  return !block_.empty();
}

bool LineStream::next(std::string& line) {
  line.clear();
  bool complete = false, started = false;
  while (!complete && read_block()) {
    started = true;
    const std::size_t newline = block_.find('\n');
    complete = newline != std::string_view::npos;
    const std::string_view piece = block_.substr(0, newline);
    if (line.size() + piece.size() > kMaximumRecordBytes) {
      throw std::invalid_argument(where(line_number_ + 1) +
                                  ": is a line longer than 64 MB, the most a record may have; "
                                  "check that the file is text with one record a line");
    }
    line += piece;
    block_.remove_prefix(complete ? newline + 1 : block_.size());
  }
  if (!started) return false;
  ++line_number_;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line_number_ == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
  return true;
}

}  // namespace fastformer::data

#include "fastformer/data/line_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "fastformer/base/printable.h"

namespace fastformer::data {

namespace {

// Length of the well-formed multi-byte character at `at`, 0 where there is none. The second byte's
// range carries all the exceptions of the standard (RFC 3629, section 4).
std::size_t character_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned lead = byte(0);
  std::size_t length = 0;
  unsigned lowest = 0x80, highest = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) lowest = 0xA0;
    if (lead == 0xED) highest = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) lowest = 0x90;
    if (lead == 0xF4) highest = 0x8F;
  }
  if (length == 0 || text.size() - at < length) return 0;
  if (byte(1) < lowest || byte(1) > highest) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

bool valid_utf8(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t word = 0;
    while (text.size() - at >= sizeof(word)) {
      std::memcpy(&word, text.data() + at, sizeof(word));
      if ((word & kHighBits) != 0) break;
      at += sizeof(word);
    }
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
    if (at == text.size()) return true;
    const std::size_t length = character_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

void check_text(std::string_view text, const std::string& where) {
  if (text.find('\0') != std::string_view::npos) {
    throw std::invalid_argument(where +
                                ": contains a NUL byte, which text never does; if the file is "
                                "UTF-16, convert it with: iconv -f UTF-16 -t UTF-8 OLD > NEW");
  }
  if (!valid_utf8(text)) {
    throw std::invalid_argument(where +
                                ": is not UTF-8; convert the file, for Western European text "
                                "with: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW");
  }
}

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
  throw std::invalid_argument(
      name_ + ": " + cause + " after line " + std::to_string(line_number_) + " (" +
      (reason != nullptr ? base::excerpt(reason) : std::string("unknown cause")) +
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

namespace fs = std::filesystem;

std::vector<fs::path> list_files(const fs::path& folder, std::string_view extension) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == extension) files.push_back(entry->path());
  }
  if (error) {
    throw std::invalid_argument(folder.string() + ": cannot be listed: " + error.message() +
                                "; check its permissions");
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string read_document(const fs::path& file) {
  LineStream lines(file);
  std::string text, line;
  while (lines.next(line)) {
    check_text(line, lines.where());
    if (lines.line_number() > 1) text += '\n';
    text += line;
    if (text.size() > kMaximumRecordBytes) {
      throw std::invalid_argument(file.string() +
                                  ": is longer than 64 MB, the most a record may have");
    }
  }
  return text;
}

}  // namespace fastformer::data

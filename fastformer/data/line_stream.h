#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct archive;
struct archive_entry;

namespace fastformer::data {

/// Whether `text` is well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above
/// U+10FFFF, nothing cut off. ASCII is checked eight bytes at a time.
bool valid_utf8(std::string_view text);

/// Throws std::invalid_argument that starts with `where` and says how to convert the file, when
/// `text` is not UTF-8 or holds a NUL byte.
void check_text(std::string_view text, const std::string& where);

/// No line, record or document may be longer; what is longer is a broken file, not a text.
inline constexpr std::size_t kMaximumRecordBytes = std::size_t{64} << 20;

/// The lines of a text file, plain or compressed (gzip, zstd, bzip2, xz; told by its content).
///
///   LineStream lines("reviews.jsonl.gz");
///   for (std::string line; lines.next(line);) use(line, lines.line_number());
///
/// The path "-" is the standard input. Throws std::invalid_argument with one sentence for a file
/// that is missing, unreadable, a folder or a damaged archive, and for a line above the limit.
class LineStream {
 public:
  explicit LineStream(const std::filesystem::path& path);

  /// The file of that name in a zip archive, in whatever folder of it; nothing where it has none.
  /// Throws as the constructor.
  static std::optional<LineStream> in_zip(const std::filesystem::path& archive,
                                          const std::string& name);

  /// Puts the next line into `line`, without "\n" or "\r\n" and without a byte order mark; false at
  /// the end. The bytes are not checked (see check_text).
  bool next(std::string& line);

  /// Number of the line that next() gave last, from 1; 0 before the first.
  std::int64_t line_number() const { return line_number_; }

  /// "train.csv:17" for the line that next() gave last.
  std::string where() const { return where(line_number_); }
  std::string where(std::int64_t line) const { return name_ + ":" + std::to_string(line); }
  /// The path as it is shown in messages.
  const std::string& name() const { return name_; }

 private:
  struct Close {
    void operator()(archive* handle) const;
  };

  LineStream() = default;
  void open(const std::filesystem::path& path, int (*support_format)(archive*));
  bool next_header(archive_entry*& entry);
  bool read_block();
  [[noreturn]] void fail(const std::string& cause) const;

  std::string name_;
  std::unique_ptr<archive, Close> archive_;
  std::string_view block_;  ///< what is left of libarchive's block
  bool at_end_ = false;
  std::int64_t line_number_ = 0;
};

/// The files of a folder whose names end in `extension` (".txt"), in the order of their paths.
/// Throws std::invalid_argument for a folder that cannot be listed.
std::vector<std::filesystem::path> list_files(const std::filesystem::path& folder,
                                              std::string_view extension);

/// The whole text of a file that holds one document, lines joined by "\n". Throws
/// std::invalid_argument for text that is not UTF-8 or is longer than 64 MB, and what LineStream
/// throws.
std::string read_document(const std::filesystem::path& file);

}  // namespace fastformer::data

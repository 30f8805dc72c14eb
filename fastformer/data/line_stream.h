#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/data/byte_source.h"
#include "fastformer/data/text_encoding.h"
#include "fastformer/data/utf8.h"

namespace fastformer::data {

/// Longest line, record or document, in bytes (64 MiB). Longer input is treated as a broken file.
inline constexpr std::size_t kMaximumRecordBytes = std::size_t{64} << 20;

/// Reads the lines of a text file as UTF-8. All readers and commands read text through this class.
///
///   LineStream lines("reviews.jsonl.gz", config.encoding);
///   for (std::string line; lines.next(line);) use(line, lines.line_number());
///
/// The file may be compressed, or an archive of one file (see ByteSource). The encoding is that of
/// a byte order mark (UTF-8, UTF-16 or UTF-32), else `encoding`. Lines end in "\n" or "\r\n", or in
/// "\r" if the file contains no "\n". Throws std::invalid_argument with file, line and byte for NUL
/// bytes and for bytes that are invalid in the encoding, unless these are to be replaced, and with
/// file and line for a line longer than kMaximumRecordBytes.
class LineStream {
 public:
  explicit LineStream(const std::filesystem::path& path, const TextEncoding& encoding = {})
      : LineStream(ByteSource(path), encoding) {}

  /// Opens a file of a zip archive, see ByteSource::in_zip().
  static std::optional<LineStream> in_zip(const std::filesystem::path& archive,
                                          const std::string& name,
                                          const TextEncoding& encoding = {});

  /// Reads the next line into `line`, without its line end and without a byte order mark; returns
  /// false at the end.
  bool next(std::string& line);

  /// Number of the line that next() returned last, from 1; 0 before the first line.
  std::int64_t line_number() const { return line_number_; }

  /// The file and the line that next() returned last: "train.csv:17".
  std::string where() const { return where(line_number_); }
  std::string where(std::int64_t line) const { return name() + ":" + std::to_string(line); }
  /// The path for messages.
  const std::string& name() const { return source_.name(); }

  /// Number of characters replaced with U+FFFD so far.
  std::int64_t replaced() const { return replaced_ + (decoder_ ? decoder_->replaced() : 0); }
  /// A sentence about replaced characters; empty if there are none.
  std::string notice() const;

 private:
  LineStream(ByteSource source, const TextEncoding& encoding);
  bool read_block();
  void begin(std::string_view block);
  void find_line_end();

  ByteSource source_;
  TextEncoding encoding_;
  std::optional<TextDecoder> decoder_;
  std::string decoded_;     ///< the block after conversion to UTF-8
  std::string_view block_;  ///< the unread rest of the block
  bool started_ = false, at_end_ = false;
  char line_end_ = '\0';  ///< NUL: not known yet
  std::int64_t line_number_ = 0, replaced_ = 0;
};

/// The files of a folder whose names end in `extension` (".txt"), sorted by path. Throws
/// std::invalid_argument if the folder cannot be listed.
std::vector<std::filesystem::path> list_files(const std::filesystem::path& folder,
                                              std::string_view extension);

/// Reads a file that contains one document; lines are joined by "\n". Throws as LineStream does,
/// and std::invalid_argument if the text is longer than 64 MiB.
std::string read_document(const std::filesystem::path& file, const TextEncoding& encoding = {});

}  // namespace fastformer::data

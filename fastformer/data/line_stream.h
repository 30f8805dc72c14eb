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

/// No line, record or document may be longer; what is longer is a broken file, not a text.
inline constexpr std::size_t kMaximumRecordBytes = std::size_t{64} << 20;

/// The lines of a text file as UTF-8: the one way by which every reader and command reads text.
///
///   LineStream lines("reviews.jsonl.gz", config.encoding);
///   for (std::string line; lines.next(line);) use(line, lines.line_number());
///
/// The file may be compressed or an archive of one file (see ByteSource). A byte order mark says
/// whether it is UTF-8, UTF-16 or UTF-32, else `encoding` does. Lines end in "\n", "\r\n" or, where
/// the file has no "\n", in "\r". Throws std::invalid_argument with file, line and byte for NUL
/// bytes and what is not of the encoding, unless these are to be replaced, and for a line above the
/// limit.
class LineStream {
 public:
  explicit LineStream(const std::filesystem::path& path, const TextEncoding& encoding = {})
      : LineStream(ByteSource(path), encoding) {}

  /// The file of that name in a zip archive, in whatever folder of it; nothing where it has none.
  static std::optional<LineStream> in_zip(const std::filesystem::path& archive,
                                          const std::string& name,
                                          const TextEncoding& encoding = {});

  /// Puts the next line into `line`, without its end and without a byte order mark; false at the
  /// end.
  bool next(std::string& line);

  /// Number of the line that next() gave last, from 1; 0 before the first.
  std::int64_t line_number() const { return line_number_; }

  /// "train.csv:17" for the line that next() gave last.
  std::string where() const { return where(line_number_); }
  std::string where(std::int64_t line) const { return name() + ":" + std::to_string(line); }
  /// The path as it is shown in messages.
  const std::string& name() const { return source_.name(); }

  /// How many characters were replaced by U+FFFD so far.
  std::int64_t replaced() const { return replaced_ + (decoder_ ? decoder_->replaced() : 0); }
  /// A sentence about what was replaced; empty where nothing was.
  std::string notice() const;

 private:
  LineStream(ByteSource source, const TextEncoding& encoding);
  bool read_block();
  void begin(std::string_view block);
  void find_line_end();

  ByteSource source_;
  TextEncoding encoding_;
  std::optional<TextDecoder> decoder_;
  std::string decoded_;     ///< the block, where it was converted
  std::string_view block_;  ///< what is left of the block
  bool started_ = false, at_end_ = false;
  char line_end_ = '\0';  ///< NUL: none was met yet
  std::int64_t line_number_ = 0, replaced_ = 0;
};

/// The files of a folder whose names end in `extension` (".txt"), in the order of their paths.
/// Throws std::invalid_argument for a folder that cannot be listed.
std::vector<std::filesystem::path> list_files(const std::filesystem::path& folder,
                                              std::string_view extension);

/// The whole text of a file that holds one document, lines joined by "\n". Throws
/// std::invalid_argument for text that is longer than 64 MB, and what LineStream throws.
std::string read_document(const std::filesystem::path& file, const TextEncoding& encoding = {});

}  // namespace fastformer::data

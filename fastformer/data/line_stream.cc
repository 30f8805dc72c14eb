#include "fastformer/data/line_stream.h"

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "fastformer/base/printable.h"

namespace fastformer::data {

namespace fs = std::filesystem;

LineStream::LineStream(ByteSource source, const TextEncoding& encoding)
    : source_(std::move(source)), encoding_(encoding) {
  if (!is_utf8(encoding_.encoding)) TextDecoder(encoding_.encoding, encoding_.invalid_utf8);
}

std::optional<LineStream> LineStream::in_zip(const fs::path& archive, const std::string& name,
                                             const TextEncoding& encoding) {
  auto source = ByteSource::in_zip(archive, name);
  if (!source) return std::nullopt;
  return LineStream(std::move(*source), encoding);
}

// The first block says how the file is encoded.
void LineStream::begin(std::string_view block) {
  started_ = true;
  const auto mark = byte_order_mark(block);
  block_ = block.substr(mark.length);
  const std::string encoding = mark.encoding != nullptr ? mark.encoding : encoding_.encoding;
  if (!is_utf8(encoding)) decoder_.emplace(encoding, encoding_.invalid_utf8);
}

bool LineStream::read_block() {
  while (block_.empty() && !at_end_) {
    block_ = source_.next();
    at_end_ = block_.empty();
    if (!started_ && !at_end_) begin(block_);
    if (decoder_) {
      decoded_ = decoder_->decode(block_, at_end_, name());
      block_ = decoded_;
    }
  }
  if (line_end_ == '\0') find_line_end();
  return !block_.empty();
}

// "\r" ends the lines of a file that has none of "\n"; at the end of a block it may begin "\r\n".
void LineStream::find_line_end() {
  if (block_.find('\n') != std::string_view::npos) {
    line_end_ = '\n';
  } else if (block_.substr(0, block_.size() - std::min<std::size_t>(block_.size(), 1)).find('\r') !=
             std::string_view::npos) {
    line_end_ = '\r';
  }
}

bool LineStream::next(std::string& line) {
  line.clear();
  bool complete = false, started = false;
  while (!complete && read_block()) {
    started = true;
    const std::size_t end = line_end_ == '\0' ? std::string_view::npos : block_.find(line_end_);
    complete = end != std::string_view::npos;
    const std::string_view piece = block_.substr(0, end);
    if (line.size() + piece.size() > kMaximumRecordBytes) {
      throw std::invalid_argument(where(line_number_ + 1) +
                                  ": the line is longer than 64 MB, the limit for a record; check "
                                  "that the file is text with one record per line");
    }
    line += piece;
    block_.remove_prefix(complete ? end + 1 : block_.size());
  }
  if (!started) return false;
  ++line_number_;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (encoding_.invalid_utf8 == InvalidText::kReplace) {
    replaced_ += replace_invalid(line);
  } else {
    check_text(line, where());
  }
  return true;
}

std::string LineStream::notice() const {
  if (replaced() == 0) return {};
  return name() + ": " + std::to_string(replaced()) +
         " byte sequences that are invalid in the file's encoding were replaced by U+FFFD "
         "(data.invalid_utf8 = \"replace\")";
}

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

std::string read_document(const fs::path& file, const TextEncoding& encoding) {
  LineStream lines(file, encoding);
  std::string text, line;
  while (lines.next(line)) {
    if (lines.line_number() > 1) text += '\n';
    text += line;
    if (text.size() > kMaximumRecordBytes) {
      throw std::invalid_argument(file.string() + ": is longer than 64 MB, the limit for a record");
    }
  }
  return text;
}

}  // namespace fastformer::data

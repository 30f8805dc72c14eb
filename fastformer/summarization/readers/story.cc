#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/ascii.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/summarization/readers/formats.h"

namespace fastformer::summarization {
namespace {

namespace fs = std::filesystem;

std::string_view trimmed(std::string_view line) { return base::trimmed(line, " \t\r"); }

// A sentence of a summary may span several lines; the next "@highlight" ends it.
void parse_story(std::string_view text, TextPair& pair) {
  std::string* part = &pair.source;
  char separator = '\n';
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    if (line == "@highlight") {
      part = &pair.target;
      separator = '\n';
      continue;
    }
    if (!part->empty()) *part += separator;
    *part += line;
    if (part == &pair.target) separator = ' ';
  }
}

class StoryReader final : public PairReader {
 public:
  /// Throws std::invalid_argument when the folder holds no .story file.
  StoryReader(const std::filesystem::path& path, const data::TextEncoding& encoding);
  bool next(TextPair& pair) override;

 private:
  data::TextEncoding encoding_;
  std::vector<std::filesystem::path> files_;
  std::size_t position_ = 0;
};

StoryReader::StoryReader(const fs::path& path, const data::TextEncoding& encoding)
    : encoding_(encoding) {
  if (!fs::is_directory(path)) {
    files_ = {path};
    return;
  }
  files_ = data::list_files(path, ".story");
  if (files_.empty()) {
    throw std::invalid_argument(path.string() +
                                ": contains no .story files; give the folder that contains them, "
                                "or set another data.format");
  }
}

bool StoryReader::next(TextPair& pair) {
  if (position_ == files_.size()) return false;
  const fs::path& file = files_[position_++];
  pair = {.where = file.string()};
  parse_story(data::read_document(file, encoding_), pair);
  return true;
}

}  // namespace

std::unique_ptr<PairReader> open_story(const std::filesystem::path& path,
                                       const data::TextEncoding& encoding) {
  return std::make_unique<StoryReader>(path, encoding);
}

}  // namespace fastformer::summarization

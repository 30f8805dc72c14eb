#include "fastformer/data/story_reader.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "fastformer/data/text_files.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t begin = line.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlank) + 1 - begin);
}

// A summary's sentence may stand on several lines; the next "@highlight" ends it.
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

}  // namespace

StoryReader::StoryReader(const fs::path& path) {
  if (!fs::is_directory(path)) {
    files_ = {path};
    return;
  }
  files_ = list_files(path, ".story");
  if (files_.empty()) {
    throw std::invalid_argument(path.string() +
                                ": holds no .story file; give the folder that has them, or another "
                                "data.format");
  }
}

bool StoryReader::next(TextPair& pair) {
  if (position_ == files_.size()) return false;
  const fs::path& file = files_[position_++];
  pair = {.where = file.string()};
  parse_story(read_document(file), pair);
  return true;
}

}  // namespace fastformer::data

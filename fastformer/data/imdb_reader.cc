#include "fastformer/data/imdb_reader.h"

#include <algorithm>
#include <stdexcept>
#include <system_error>

#include "fastformer/data/columns.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/data/utf8.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

void add_reviews(const fs::path& folder, std::vector<fs::path>& files) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".txt") files.push_back(entry->path());
  }
  if (error) {
    throw std::invalid_argument(folder.string() + ": cannot be listed: " + error.message() +
                                "; check its permissions");
  }
}

std::string rating_of(const fs::path& file) {
  const std::string stem = file.stem().string();
  const std::size_t underscore = stem.rfind('_');
  const std::string rating =
      underscore == std::string::npos ? std::string() : stem.substr(underscore + 1);
  if (!is_column_number(rating)) {
    throw std::invalid_argument(file.string() +
                                ": has no rating in its name, expected <id>_<rating>.txt");
  }
  return rating;
}

std::string read_review(const fs::path& file) {
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

}  // namespace

ImdbReader::ImdbReader(const DataConfig& config, const fs::path& folder)
    : ratings_(config.imdb_labels == "ratings") {
  for (const char* name : {"neg", "pos"}) {
    if (!fs::is_directory(folder / name)) {
      throw std::invalid_argument(folder.string() + ": has no folder '" + name +
                                  "'; give a folder such as aclImdb/train, which has neg and pos");
    }
    add_reviews(folder / name, files_);
  }
  std::sort(files_.begin(), files_.end());
}

bool ImdbReader::next(Example& example) {
  if (position_ == files_.size()) return false;
  const fs::path& file = files_[position_++];
  example.text = read_review(file);
  example.label = ratings_ ? rating_of(file) : file.parent_path().filename().string();
  example.group.clear();
  example.where = file.string();
  return true;
}

}  // namespace fastformer::data

#include "fastformer/data/imdb_reader.h"

#include <stdexcept>

#include "fastformer/data/columns.h"
#include "fastformer/data/text_files.h"

namespace fastformer::data {
namespace {

namespace fs = std::filesystem;

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

}  // namespace

ImdbReader::ImdbReader(const DataConfig& config, const fs::path& folder)
    : ratings_(config.imdb_labels == "ratings") {
  for (const char* name : {"neg", "pos"}) {
    if (!fs::is_directory(folder / name)) {
      throw std::invalid_argument(folder.string() + ": has no folder '" + name +
                                  "'; give a folder such as aclImdb/train, which has neg and pos");
    }
    const auto files = list_files(folder / name, ".txt");
    files_.insert(files_.end(), files.begin(), files.end());
  }
}

bool ImdbReader::next(Example& example) {
  if (position_ == files_.size()) return false;
  const fs::path& file = files_[position_++];
  example.text = read_document(file);
  example.label = ratings_ ? rating_of(file) : file.parent_path().filename().string();
  example.group.clear();
  example.where = file.string();
  return true;
}

}  // namespace fastformer::data

#include <cstddef>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/formats.h"
#include "fastformer/data/line_stream.h"

namespace fastformer::classification {
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

class ImdbReader final : public Reader {
 public:
  ImdbReader(const DataConfig& config, const std::filesystem::path& folder);
  bool next(Example& example) override;

 private:
  bool ratings_;
  data::TextEncoding encoding_;
  std::vector<std::filesystem::path> files_;
  std::size_t position_ = 0;
};

ImdbReader::ImdbReader(const DataConfig& config, const fs::path& folder)
    : ratings_(config.imdb_labels == ImdbLabels::kRatings), encoding_(config.encoding) {
  for (const char* name : {"neg", "pos"}) {
    if (!fs::is_directory(folder / name)) {
      throw std::invalid_argument(folder.string() + ": has no folder '" + name +
                                  "'; give a folder such as aclImdb/train, which has neg and pos, "
                                  "or set data.format = \"folders\" for classes with other names");
    }
    const auto files = data::list_files(folder / name, ".txt");
    files_.insert(files_.end(), files.begin(), files.end());
  }
}

bool ImdbReader::next(Example& example) {
  if (position_ == files_.size()) return false;
  const fs::path& file = files_[position_++];
  example.text = data::read_document(file, encoding_);
  example.label = ratings_ ? rating_of(file) : file.parent_path().filename().string();
  example.group.clear();
  example.where = file.string();
  return true;
}

}  // namespace

std::unique_ptr<Reader> open_imdb(const DataConfig& config, const std::filesystem::path& folder) {
  return std::make_unique<ImdbReader>(config, folder);
}

}  // namespace fastformer::classification

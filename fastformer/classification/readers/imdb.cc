#include <charconv>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
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

// The lines of a file; none if there is no file.
std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  if (!fs::exists(file)) return lines;
  data::LineStream stream(file);
  for (std::string line; stream.next(line);) lines.push_back(line);
  return lines;
}

// Reviews of a film share its words, so that they belong in the same part. Line n of urls_pos.txt,
// counted from 0, is the address of the film that the review n_<rating>.txt in `pos` is about.
class ImdbReader final : public Reader {
 public:
  ImdbReader(const DataConfig& config, const std::filesystem::path& folder);
  bool next(Example& example) override;

 private:
  std::string film_of(const fs::path& file, const std::string& folder) const;

  bool ratings_;
  data::TextEncoding encoding_;
  std::vector<std::filesystem::path> files_;
  std::map<std::string, std::vector<std::string>> films_;  // of the reviews in neg and in pos
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
    films_[name] = lines_of(folder / ("urls_" + std::string(name) + ".txt"));
  }
}

// Empty if it is not known.
std::string ImdbReader::film_of(const fs::path& file, const std::string& folder) const {
  const auto stem = file.stem().string();
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
  const auto& films = films_.at(folder);
  const bool known = error == std::errc() && end != stem.data() && number < films.size();
  return known ? films[number] : std::string();
}

bool ImdbReader::next(Example& example) {
  if (position_ == files_.size()) return false;
  const fs::path& file = files_[position_++];
  example.text = data::read_document(file, encoding_);
  const auto folder = file.parent_path().filename().string();
  example.label = ratings_ ? rating_of(file) : folder;
  example.group = film_of(file, folder);
  example.where = file.string();
  return true;
}

}  // namespace

std::unique_ptr<Reader> open_imdb(const DataConfig& config, const std::filesystem::path& folder) {
  return std::make_unique<ImdbReader>(config, folder);
}

}  // namespace fastformer::classification

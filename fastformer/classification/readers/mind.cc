#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/ascii.h"
#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/formats.h"
#include "fastformer/data/delimited_records.h"
#include "fastformer/data/line_stream.h"

namespace fastformer::classification {
namespace {

enum Column : std::size_t { kId = 0, kCategory = 1, kTitle = 3, kAbstract = 4, kBody = 8 };

std::filesystem::path news_file(const std::filesystem::path& path) {
  return std::filesystem::is_directory(path) ? path / "news.tsv" : path;
}

class MindReader final : public Reader {
 public:
  MindReader(const DataConfig& config, const std::filesystem::path& path);
  bool next(Example& example) override;

 private:
  bool body_;
  std::string separator_;
  data::LineStream lines_;
  std::string line_;
  std::vector<std::string_view> cells_;
};

MindReader::MindReader(const DataConfig& config, const std::filesystem::path& path)
    : body_(config.mind_body),
      separator_(config.text_columns_separator),
      lines_(news_file(path), config.encoding) {}

bool MindReader::next(Example& example) {
  do {
    if (!lines_.next(line_)) return false;
  } while (line_.empty());
  example.where = lines_.where();
  data::split_cells(line_, '\t', cells_);
  if (cells_.size() <= kAbstract) {
    throw std::invalid_argument(example.where + ": has " + std::to_string(cells_.size()) +
                                " columns, but MIND's news.tsv has at least 5 (id, category, "
                                "subcategory, title, abstract), separated by tabs");
  }
  if (lines_.line_number() == 1 && base::equal_ignoring_case(cells_[kTitle], "title") &&
      base::equal_ignoring_case(cells_[kCategory], "category")) {
    throw std::invalid_argument(
        example.where +
        ": is a header row, which MIND's news.tsv does not have; remove it with: sed -i 1d FILE");
  }
  example.text = cells_[kTitle];
  const auto append = [&](std::string_view part) {
    if (!part.empty()) example.text.append(separator_).append(part);
  };
  append(cells_[kAbstract]);
  if (body_ && cells_.size() > kBody) append(cells_[kBody]);
  example.label = cells_[kCategory];
  example.group = cells_[kId];
  return true;
}

}  // namespace

std::unique_ptr<Reader> open_mind(const DataConfig& config, const std::filesystem::path& path) {
  return std::make_unique<MindReader>(config, path);
}

}  // namespace fastformer::classification

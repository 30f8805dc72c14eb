#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/base/ascii.h"
#include "fastformer/base/format.h"
#include "fastformer/data/delimited_records.h"
#include "fastformer/summarization/readers/formats.h"

namespace fastformer::summarization {
namespace {

class DelimitedPairReader final : public PairReader {
 public:
  DelimitedPairReader(const std::filesystem::path& file, char delimiter,
                      const std::string& source_field, const std::string& target_field,
                      const data::TextEncoding& encoding, const data::DialectConfig& dialect)
      : records_(file, delimiter, encoding, dialect) {
    if (!records_.next(cells_)) return;
    for (auto& cell : cells_) cell = std::string(base::trimmed(cell));
    width_.emplace(cells_, cells_.size());
    source_ = column(source_field);
    if (!target_field.empty()) target_ = column(target_field);
  }

  bool next(TextPair& pair) override {
    if (!width_ || !records_.next(cells_)) return false;
    if (!width_->fit(cells_)) {
      throw std::invalid_argument(records_.where() + ": has " + std::to_string(cells_.size()) +
                                  " columns, but the first row has " +
                                  std::to_string(width_->most()) +
                                  "; put text that holds the delimiter into double quotes, or "
                                  "complete the row");
    }
    pair.where = records_.where();
    pair.source = cells_[source_];
    pair.target = target_ ? cells_[*target_] : std::string();
    return true;
  }

 private:
  std::size_t column(const std::string& name) const {
    const auto found = std::ranges::find(cells_, name);
    if (found != cells_.end()) return static_cast<std::size_t>(found - cells_.begin());
    throw std::invalid_argument(records_.where() + ": there is no column '" + name + "'" +
                                base::suggestion(name, cells_));
  }

  data::DelimitedRecords records_;
  std::vector<std::string> cells_;
  std::optional<data::RowWidth> width_;  // nothing if the file is empty
  std::size_t source_ = 0;
  std::optional<std::size_t> target_;
};

}  // namespace

std::unique_ptr<PairReader> open_delimited(const std::filesystem::path& file, char delimiter,
                                           const std::string& source_field,
                                           const std::string& target_field,
                                           const data::TextEncoding& encoding,
                                           const data::DialectConfig& dialect) {
  return std::make_unique<DelimitedPairReader>(file, delimiter, source_field, target_field,
                                               encoding, dialect);
}

}  // namespace fastformer::summarization

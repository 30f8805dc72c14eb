#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <sstream>
#include <string>

#include "fastformer/data/corpus.h"
#include "fastformer/text/display_width.h"

namespace fastformer::data {

/// The lengths of the documents of a corpus, in tokens.
struct LengthSummary {
  explicit LengthSummary(const Corpus& corpus);

  std::int64_t tokens = 0, median = 0, longest = 0, truncated = 0;
  double mean = 0;
};

/// A text table: names on the left, numbers in columns.
class SummaryTable {
 public:
  explicit SummaryTable(std::size_t name_width);

  template <class... Cells>
  void row(const std::string& name, const Cells&... cells) {
    constexpr int kColumnWidth = 12;
    out_ << text::padded(name, name_width_);
    ((out_ << std::setw(kColumnWidth) << cells), ...);
    out_ << '\n';
  }
  void line(const std::string& text) { out_ << text << '\n'; }
  /// Adds rows for the lengths of the three parts; each name starts with `prefix`.
  void lengths(const std::string& prefix, const std::array<LengthSummary, 3>& parts);

  std::string text() const { return out_.str(); }

 private:
  std::size_t name_width_;
  std::ostringstream out_;
};

}  // namespace fastformer::data

#include <algorithm>
#include <iomanip>
#include <locale>
#include <sstream>

#include "fastformer/data/dataset.h"

namespace fastformer::data {
namespace {

constexpr int kColumnWidth = 12;
constexpr std::size_t kShownClasses = 50;

struct PartSummary {
  std::vector<std::int64_t> class_counts;
  std::int64_t rows = 0, tokens = 0, median = 0, longest = 0, truncated = 0, empty = 0;

  double mean() const {
    return rows == 0 ? 0 : static_cast<double>(tokens) / static_cast<double>(rows);
  }
};

PartSummary summarize(const TokenSet& set, std::size_t classes) {
  PartSummary part{.class_counts = std::vector<std::int64_t>(classes)};
  std::vector<std::int64_t> lengths;
  lengths.reserve(static_cast<std::size_t>(set.size()));
  for (std::int64_t row = 0; row < set.size(); ++row) {
    lengths.push_back(static_cast<std::int64_t>(set.tokens(row).size()));
    const auto label = static_cast<std::size_t>(set.label(row));
    if (label < classes) ++part.class_counts[label];
  }
  part.rows = set.size();
  part.tokens = set.total_tokens();
  part.truncated = set.truncated();
  part.empty = set.empty();
  if (!lengths.empty()) {
    const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>((lengths.size() - 1) / 2);
    std::nth_element(lengths.begin(), middle, lengths.end());
    part.median = *middle;
    part.longest = *std::max_element(lengths.begin(), lengths.end());
  }
  return part;
}

// Characters, not bytes, so that the columns of accented labels line up.
std::size_t display_width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

class Table {
 public:
  explicit Table(std::size_t name_width) : name_width_(name_width) {
    out_.imbue(std::locale::classic());
    out_ << std::fixed << std::setprecision(1);
  }

  template <class... Cells>
  void row(const std::string& name, const Cells&... cells) {
    out_ << name << std::string(name_width_ - std::min(name_width_, display_width(name)), ' ');
    ((out_ << std::setw(kColumnWidth) << cells), ...);
    out_ << '\n';
  }
  void line(const std::string& text) { out_ << text << '\n'; }
  std::string text() const { return out_.str(); }

 private:
  std::size_t name_width_;
  std::ostringstream out_;
};

}  // namespace

std::string Dataset::summary() const {
  const PartSummary a = summarize(train, labels.size());
  const PartSummary b = summarize(validation, labels.size());
  const PartSummary c = summarize(test, labels.size());
  const std::size_t shown = std::min(labels.size(), kShownClasses);
  std::size_t width = 16;
  for (std::size_t i = 0; i < shown; ++i) width = std::max(width, display_width(labels[i]));

  Table table(width);
  table.row("", "train", "validation", "test");
  table.row("documents", a.rows, b.rows, c.rows);
  for (std::size_t i = 0; i < shown; ++i) {
    table.row(labels[i], a.class_counts[i], b.class_counts[i], c.class_counts[i]);
  }
  if (shown < labels.size()) {
    table.line("and " + std::to_string(labels.size() - shown) + " more classes");
  }
  table.row("tokens", a.tokens, b.tokens, c.tokens);
  table.row("mean length", a.mean(), b.mean(), c.mean());
  table.row("median length", a.median, b.median, c.median);
  table.row("longest", a.longest, b.longest, c.longest);
  table.row("cut at limit", a.truncated, b.truncated, c.truncated);
  table.row("empty", a.empty, b.empty, c.empty);
  if (dropped_classes > 0) {
    table.line("left out: " + std::to_string(dropped_rows) + " documents of " +
               std::to_string(dropped_classes) + " rare classes");
  }
  return table.text();
}

}  // namespace fastformer::data

#include <algorithm>
#include <array>

#include "fastformer/data/dataset.h"
#include "fastformer/data/summary_table.h"

namespace fastformer::data {
namespace {

constexpr std::size_t kShownClasses = 50;

std::vector<std::int64_t> class_counts(const TokenSet& set, std::size_t classes) {
  std::vector<std::int64_t> counts(classes);
  for (std::int64_t row = 0; row < set.size(); ++row) {
    const auto label = static_cast<std::size_t>(set.label(row));
    if (label < classes) ++counts[label];
  }
  return counts;
}

}  // namespace

std::string Dataset::summary() const {
  const std::array parts = {LengthSummary(train), LengthSummary(validation), LengthSummary(test)};
  const std::array classes = {class_counts(train, labels.size()),
                              class_counts(validation, labels.size()),
                              class_counts(test, labels.size())};
  const std::size_t shown = std::min(labels.size(), kShownClasses);
  std::size_t width = 16;
  for (std::size_t i = 0; i < shown; ++i) width = std::max(width, display_width(labels[i]));

  SummaryTable table(width);
  table.row("", "train", "validation", "test");
  table.row("documents", train.size(), validation.size(), test.size());
  for (std::size_t i = 0; i < shown; ++i) {
    table.row(labels[i], classes[0][i], classes[1][i], classes[2][i]);
  }
  if (shown < labels.size()) {
    table.line("and " + std::to_string(labels.size() - shown) + " more classes");
  }
  table.lengths("", parts);
  table.row("empty", train.empty(), validation.empty(), test.empty());
  if (dropped_classes > 0) {
    table.line("left out: " + std::to_string(dropped_rows) + " documents of " +
               std::to_string(dropped_classes) + " rare classes");
  }
  return table.text();
}

}  // namespace fastformer::data

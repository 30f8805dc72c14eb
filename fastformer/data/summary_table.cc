#include "fastformer/data/summary_table.h"

#include <algorithm>
#include <locale>
#include <vector>

namespace fastformer::data {

LengthSummary::LengthSummary(const Corpus& corpus)
    : tokens(corpus.total_tokens()), truncated(corpus.truncated()) {
  auto lengths = corpus.lengths();
  if (lengths.empty()) return;
  mean = static_cast<double>(tokens) / static_cast<double>(lengths.size());
  const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>((lengths.size() - 1) / 2);
  std::nth_element(lengths.begin(), middle, lengths.end());
  median = *middle;
  longest = *std::max_element(lengths.begin(), lengths.end());
}

SummaryTable::SummaryTable(std::size_t name_width) : name_width_(name_width) {
  out_.imbue(std::locale::classic());
  out_ << std::fixed << std::setprecision(1);
}

void SummaryTable::lengths(const std::string& prefix, const std::array<LengthSummary, 3>& parts) {
  const auto& [a, b, c] = parts;
  row(prefix + "tokens", a.tokens, b.tokens, c.tokens);
  row(prefix + "mean length", a.mean, b.mean, c.mean);
  row(prefix + "median length", a.median, b.median, c.median);
  row(prefix + "longest", a.longest, b.longest, c.longest);
  row(prefix + "truncated", a.truncated, b.truncated, c.truncated);
}

}  // namespace fastformer::data

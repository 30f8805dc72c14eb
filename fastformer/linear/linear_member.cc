#include "fastformer/linear/linear_member.h"

#include <array>
#include <cmath>

#include "fastformer/base/format.h"

namespace fastformer::linear {

std::string MemberConfig::description() const {
  return base::format("%s words 1-%ld%s%s C %g",
                      base::kWords<Weighting>[static_cast<std::size_t>(weighting)], words,
                      characters ? " characters" : "", minimum_texts == 1 ? " rare" : "", c);
}

namespace {

// Adds the sums of value * weight to the scores of kClasses classes at a time, from class `first`
// on. The sums are floats in registers. Returns the first class that is left.
template <std::size_t kClasses>
std::size_t add_blocks(const SparseRow& row, std::span<const std::uint16_t> weights,
                       std::size_t classes, std::size_t first, std::span<double> scores) {
  for (; first + kClasses <= classes; first += kClasses) {
    std::array<float, kClasses> sums = {};
    for (const auto& [column, value] : row) {
      const auto* const weight = &weights[static_cast<std::size_t>(column) * classes + first];
      for (std::size_t c = 0; c < kClasses; ++c) sums[c] += value * from_bfloat16(weight[c]);
    }
    for (std::size_t c = 0; c < kClasses; ++c) scores[first + c] += sums[c];
  }
  return first;
}

}  // namespace

void LinearMember::add_scores(const SparseRow& row, std::span<double> scores) const {
  const auto count = static_cast<std::size_t>(classes);
  for (std::size_t c = 0; c < count; ++c) scores[c] += bias[c];
  auto first = add_blocks<16>(row, weights, count, 0, scores);
  first = add_blocks<4>(row, weights, count, first, scores);
  add_blocks<1>(row, weights, count, first, scores);
}

SparseRow row_of(Weighting weighting, std::span<const float> scale,
                 const std::vector<bool>& is_word, std::span<const std::int32_t> sorted_columns) {
  // No branch of the loops depends on the kind of a column or on its use: those are not
  // predictable.
  SparseRow row(sorted_columns.size());
  std::size_t used = 0;
  std::array<double, 2> squares = {};  // of characters, of words
  for (std::size_t i = 0; i < sorted_columns.size();) {
    const auto column = static_cast<std::size_t>(sorted_columns[i]);
    auto end = i + 1;
    while (end < sorted_columns.size() && sorted_columns[end] == sorted_columns[i]) ++end;
    const auto count = end - i;
    i = end;
    float value = scale[column];
    if (count > 1 && weighting == Weighting::kTfidf)
      value *= 1 + std::log(static_cast<float>(count));
    row[used] = {static_cast<std::int32_t>(column), value};
    used += value != 0 ? 1 : 0;
    squares[is_word[column]] += double{value} * value;
  }
  row.resize(used);
  if (weighting == Weighting::kTfidf) {
    const std::array factors = {static_cast<float>(1 / std::sqrt(squares[0])),
                                static_cast<float>(1 / std::sqrt(squares[1]))};
    for (auto& [column, value] : row) value *= factors[is_word[static_cast<std::size_t>(column)]];
  }
  return row;
}

}  // namespace fastformer::linear

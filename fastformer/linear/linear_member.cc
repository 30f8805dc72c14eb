#include "fastformer/linear/linear_member.h"

#include <array>
#include <cmath>

#include "fastformer/base/format.h"

namespace fastformer::linear {

std::string MemberConfig::description() const {
  return base::format("%s words 1-%ld%s C %g",
                      base::kWords<Weighting>[static_cast<std::size_t>(weighting)], words,
                      characters ? " characters" : "", c);
}

void LinearMember::add_scores(const SparseRow& row, std::span<double> scores) const {
  const auto count = static_cast<std::size_t>(classes);
  for (std::size_t c = 0; c < count; ++c) scores[c] += bias[c];
  for (const auto& [column, value] : row) {
    const auto* const weight = &weights[static_cast<std::size_t>(column) * count];
    for (std::size_t c = 0; c < count; ++c) scores[c] += value * from_bfloat16(weight[c]);
  }
}

SparseRow row_of(Weighting weighting, std::span<const float> scale,
                 const std::vector<bool>& is_word, std::span<const std::int32_t> sorted_columns) {
  SparseRow row;
  std::array<double, 2> squares = {};
  for (std::size_t i = 0; i < sorted_columns.size();) {
    const auto column = static_cast<std::size_t>(sorted_columns[i]);
    auto end = i + 1;
    while (end < sorted_columns.size() && sorted_columns[end] == sorted_columns[i]) ++end;
    const auto count = static_cast<float>(end - i);
    i = end;
    if (scale[column] == 0) continue;
    const float value =
        weighting == Weighting::kTfidf ? (1 + std::log(count)) * scale[column] : scale[column];
    row.emplace_back(static_cast<std::int32_t>(column), value);
    squares[is_word[column]] += value * value;
  }
  if (weighting == Weighting::kTfidf) {
    const std::array<float, 2> factors = {static_cast<float>(1 / std::sqrt(squares[0])),
                                          static_cast<float>(1 / std::sqrt(squares[1]))};
    for (auto& [column, value] : row) value *= factors[is_word[static_cast<std::size_t>(column)]];
  }
  return row;
}

}  // namespace fastformer::linear

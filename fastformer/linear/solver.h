#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/linear/linear_member.h"
#include "fastformer/linear/targets.h"

namespace fastformer::linear {

/// Texts as the columns of their n-grams, and their labels.
struct LabelledRows {
  std::vector<std::vector<std::int32_t>> columns;  ///< of each text, sorted
  Targets targets;

  std::int64_t size() const { return targets.size(); }
};

/// 0 to count - 1.
std::vector<std::int64_t> all_rows(std::int64_t count);
std::vector<std::int32_t> all_classes(std::int64_t count);

/// Fits a member on the rows that `used` names, with LIBLINEAR (Fan et al. 2008): dual coordinate
/// descent, one class against the rest. The member has the classes that `classes` names, in that
/// order. `table` names the columns.
LinearMember fit(const LabelledRows& rows, std::span<const std::int64_t> used,
                 std::span<const std::int32_t> classes, const NgramTable& table,
                 const MemberConfig& config);

/// Scores of rows [used, classes] of a member that was fitted with `table`.
std::vector<double> scores(const LinearMember& member, const LabelledRows& rows,
                           std::span<const std::int64_t> used, const NgramTable& table);

/// Which columns are n-grams of words.
std::vector<bool> word_columns(const NgramTable& table);

}  // namespace fastformer::linear

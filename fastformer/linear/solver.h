#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/linear/linear_member.h"
#include "fastformer/linear/targets.h"

namespace fastformer::linear {

/// Texts as the columns of their n-grams, with their labels.
struct LabelledRows {
  std::vector<std::vector<std::int32_t>> columns;  ///< of each text, in ascending order
  Targets targets;

  std::int64_t size() const { return targets.size(); }
};

/// The numbers 0 to count - 1.
std::vector<std::int64_t> all_rows(std::int64_t count);
std::vector<std::int32_t> all_classes(std::int64_t count);

/// Fits a member on the rows `used` with LIBLINEAR (Fan et al. 2008): dual coordinate descent,
/// one-versus-rest. The member has the classes that `classes` names, in that order. `table` defines
/// the columns. Throws std::runtime_error if LIBLINEAR fails.
LinearMember fit(const LabelledRows& rows, std::span<const std::int64_t> used,
                 std::span<const std::int32_t> classes, const NgramTable& table,
                 const MemberConfig& config);

/// The scores [used, classes] of the rows `used`, by a member that was fitted with `table`.
std::vector<double> scores(const LinearMember& member, const LabelledRows& rows,
                           std::span<const std::int64_t> used, const NgramTable& table);

/// For each column of the table, whether it is an n-gram of words.
std::vector<bool> word_columns(const NgramTable& table);

}  // namespace fastformer::linear

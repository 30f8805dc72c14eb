#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fastformer/linear/linear_config.h"
#include "fastformer/linear/linear_member.h"
#include "fastformer/linear/ngram_table.h"
#include "fastformer/linear/pool.h"
#include "fastformer/linear/solver.h"

namespace fastformer::linear {

/// The zero of the contributions of n-grams: 0, or the mean of the classes, which counts if classes
/// exclude each other.
enum class Baseline : std::uint8_t { kZero, kMeanOfClasses };

/// The linear members of a classifier; they share one table of n-grams. Immutable; safe to share
/// between threads.
///
///   const auto model = LinearModel::fit(rows, validation, table, config);
///   const auto scores = model.scores(columns);  // [members] of [classes]
class LinearModel {
 public:
  LinearModel(NgramTable table, std::vector<LinearMember> members,
              std::vector<Calibration> calibrations);

  /// Selects words, characters, minimum of texts and C of each member by the cross-entropy of its
  /// calibrated scores, then fits it on all of `train`. Selection uses `validation` if it has at
  /// least 1,000 rows, else a tenth of `train`, or five-fold cross-validation if `train` has fewer
  /// than 5,000 rows.
  static LinearModel fit(const LabelledRows& train, const LabelledRows& validation,
                         NgramTable table, const LinearConfig& config);

  /// The same members, with the same settings and calibrations, fitted on `rows`.
  LinearModel refitted(const LabelledRows& rows) const;

  /// The same members without all but these columns, which ascend. Its texts are read for the kinds
  /// of n-grams that are left.
  LinearModel with_columns(std::span<const std::int64_t> columns) const;
  /// The same members without the n-grams that none of them uses; their scores are the same.
  LinearModel without_unused() const;

  /// The scores of a text: [members][classes]. `columns`: its n-grams, from NgramTable::encode.
  std::vector<std::vector<double>> scores(std::span<const std::int32_t> columns) const;
  /// What each known n-gram of a text adds to `pool`'s logit of class `label`; largest absolute
  /// value first. The pool's first coefficient is the network's.
  std::vector<std::pair<std::string, double>> contributions(std::string_view text,
                                                            std::int64_t label, const Pool& pool,
                                                            Baseline baseline) const;

  const NgramTable& table() const { return table_; }
  const std::vector<LinearMember>& members() const { return members_; }
  /// The calibration of each member's scores: a pool of one member.
  const std::vector<Calibration>& calibrations() const { return calibrations_; }

 private:
  SparseRow row(std::size_t member, std::span<const std::int32_t> sorted) const;

  NgramTable table_;
  std::vector<LinearMember> members_;
  std::vector<Calibration> calibrations_;
  std::vector<bool> is_word_;
};

}  // namespace fastformer::linear

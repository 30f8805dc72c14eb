#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fastformer/recommendation/impression_log.h"
#include "fastformer/recommendation/item_table.h"

namespace fastformer::recommendation {

/// The names of model.items.members: "popularity", "item_knn" and "ease".
std::vector<std::string> click_member_names();

/// What the clicks of training and validation part say about items that are known by their ids,
/// beside the model of their titles. The score of a candidate c for a user with the clicks h is
///
///   s(c | h) = titles_weight * t(c | h) + bias_c + sum over i in h of decay^age(i) weights_ic
///
/// where t is the score of the titles, and age(i) is the number of clicks after i: 0 for the
/// latest. An item that is not among the m items has only the first term.
struct ClickScores {
  std::vector<std::string> ids;  ///< of the m items
  at::Tensor weights;        ///< [m, m] float: what a click on the row's item adds to the column's
  at::Tensor bias;           ///< [m] float
  double titles_weight = 1;  ///< at least 0
  double decay = 1;          ///< above 0, at most 1

  void save(const std::filesystem::path& directory) const;
  /// Throws std::invalid_argument with one sentence, before it takes memory, for files that are
  /// missing or damaged, or do not fit together.
  static ClickScores load(const std::filesystem::path& directory);
};

/// sum over i in `history` of decay^age(i) weights[row_of[i], column] for weights [rows, rows];
/// clicks whose row is -1 add nothing.
double decayed_weight(const at::Tensor& weights, std::span<const std::int64_t> row_of,
                      std::span<const std::int32_t> history, std::int64_t column, double decay);

/// ClickScores for the items of one table.
class TableClickScores {
 public:
  TableClickScores(std::shared_ptr<const ClickScores> clicks, const ItemTable& items);

  double titles_weight() const { return clicks_->titles_weight; }
  double decay() const { return clicks_->decay; }
  /// Whether items differ for a user without clicks.
  bool has_bias() const { return has_bias_; }
  /// The items of the table that have more than the first term, in the order of their numbers.
  const std::vector<std::int32_t>& known_items() const { return known_; }
  /// The second term for an item of the table.
  double bias(std::int32_t item) const;
  /// What a click of age 0 adds to the score of a candidate.
  double weight(std::int32_t clicked, std::int32_t candidate) const;

  /// s for a candidate, from its score of titles.
  double score(double titles, std::span<const std::int32_t> history, std::int32_t candidate) const;
  /// The same for all items of the table, in place: [items].
  void apply(std::span<float> scores, std::span<const std::int32_t> history) const;
  /// The same for `candidates`, in place: [candidates].
  void apply(std::span<float> scores, std::span<const std::int32_t> history,
             std::span<const std::int32_t> candidates) const;
  /// A function that passes impressions on to `use` with s instead of the scores of titles, as long
  /// as the object lives.
  ScoreUse with_clicks(const ScoreUse& use) const;

 private:
  // The third term of all rows.
  std::vector<double> added_by(std::span<const std::int32_t> history) const;

  std::shared_ptr<const ClickScores> clicks_;
  std::vector<std::int32_t> known_;
  std::vector<std::int64_t> row_of_;   ///< of each item of the table; -1: none
  std::vector<std::int32_t> item_of_;  ///< of each row; -1: not in the table
  bool has_bias_;
};

}  // namespace fastformer::recommendation

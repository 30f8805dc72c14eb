#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/recommendation/baselines.h"
#include "fastformer/recommendation/dataset.h"

namespace fastformer::recommendation {

/// A system that knows items by the clicks of training alone: a matrix of weights between items
/// ("item_knn", "ease") or a bias per item ("popularity").
struct ClickMember {
  std::string name;     ///< one of click_member_names()
  std::string setting;  ///< for people: "lambda 300"
  at::Tensor weights;   ///< [m, m] float; undefined: none
  at::Tensor bias;      ///< [m] float; undefined: none
};

/// The members of a data set, over the items that most users clicked.
struct ClickMembers {
  std::vector<std::int32_t> items;  ///< numbers of the m items, ascending
  std::vector<ClickMember> members;

  /// The scores of one member, for rank_with(), for a table of so many items; a click counts by
  /// decay^age, see ClickScores.
  ImpressionScorer scorer(const ClickMember& member, std::int64_t table_items,
                          double decay = 1) const;
};

/// The members on_train(), fitted to the training part, and on_all(), to training and validation
/// part.
///
///   const ClickMemberFit fit(dataset, /*most=*/5000, /*tune=*/true);
///   for (const auto& member : fit.on_all().members) use(member.name, member.setting);
///
/// With `tune`, each member has the setting (EASE's lambda, the number of neighbours, the latest
/// fraction of the clicks that counts as popularity) with the largest MRR on a sample of the
/// validation part. Otherwise the settings are lambda 300, 100 neighbours and all clicks, and
/// on_all() is on_train(). For m items training takes time in m^3 and about 40 m^2 bytes. Throws
/// std::invalid_argument if `tune` is set and no impression of the validation part has both a
/// clicked and an unclicked item.
class ClickMemberFit {
 public:
  ClickMemberFit(const Dataset& dataset, std::int64_t most, bool tune);

  const ClickMembers& on_train() const { return train_; }
  const ClickMembers& on_all() const { return all_; }

 private:
  ClickMembers train_, all_;
};

/// About `most` numbers of impressions with both a clicked and an unclicked item, evenly spaced.
std::vector<std::int64_t> measurable_sample(const ImpressionLog& log, std::int64_t most);

}  // namespace fastformer::recommendation

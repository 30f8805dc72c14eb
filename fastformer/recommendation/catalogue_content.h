#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "fastformer/recommendation/candidates.h"
#include "fastformer/recommendation/collaborative/click_scores.h"
#include "fastformer/recommendation/item_table.h"
#include "fastformer/recommendation/nearest_items.h"

namespace fastformer::recommendation {

/// Rows of `vectors`: [numbers, d].
at::Tensor rows_of(const at::Tensor& vectors, const Numbers& numbers);

/// Scores of titles [U, N] of users [U, d] and items [N, d]. Throws std::invalid_argument if one is
/// not finite, because the model has diverged.
at::Tensor title_scores(const at::Tensor& users, const at::Tensor& items);

/// What a Catalogue holds: items with their vectors, and what the model knows of their ids.
struct CatalogueContent {
  std::string name;
  ItemTable items;
  at::Tensor vectors;  ///< [items + 1, d]
  std::int64_t encoded = 0;
  std::optional<TableClickScores> clicks = {};  ///< of the model
  std::optional<NearestItems> nearest = {};     ///< row i is item i + 1; for approximate search

  /// Whether items differ for a user without clicks.
  bool has_bias() const { return clicks && clicks->has_bias(); }

  /// Scores of candidates for one user with that vector [1, d] and history: [candidates].
  at::Tensor scores(const at::Tensor& user, const Numbers& history,
                    const Numbers& candidates) const;
  /// Scores of all items for users with those vectors [users, d] and histories: [users, items + 1].
  at::Tensor scores_of_all(const at::Tensor& users,
                           std::span<const Numbers* const> histories) const;

  /// With approximate search: items among which nearly always are the `count` with the highest
  /// scores for a user with that vector [d]; nearly the `count` best by their titles, and those
  /// that the model knows by their ids. Ascending.
  Numbers near(const float* user, std::size_t count) const;
};

}  // namespace fastformer::recommendation

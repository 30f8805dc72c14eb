#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/recommendation/impression_log.h"

namespace fastformer::recommendation {

/// Which users clicked which items: a binary matrix X of users and items, and the times of the
/// clicks among shown items. Clicks on item 0, which stands for unknown items, are skipped.
///
///   ClickMatrix clicks(items.size());
///   clicks.add(parts.train);
class ClickMatrix {
 public:
  explicit ClickMatrix(std::int64_t items) : items_(items) {}

  /// Adds the clicked candidates and the histories of a log. Logs that are added must number users
  /// and items alike, as the parts of one source do.
  void add(const ImpressionLog& log);

  /// The items with at least one click, at most `most`: those that most users clicked, in the order
  /// of their numbers.
  std::vector<std::int32_t> clicked_items(std::int64_t most) const;

  /// X^T X over `items`: how many users clicked both. [m, m] double.
  at::Tensor co_clicks(std::span<const std::int32_t> items) const;

  /// The number of clicks of each item among the last `fraction` of all clicks by time, [items];
  /// clicks with equal times are kept or skipped together.
  std::vector<std::int64_t> recent_clicks(double fraction) const;

 private:
  struct Click {
    double time;
    std::int32_t item;
  };

  std::int64_t items_;
  std::vector<std::vector<std::int32_t>> users_;  ///< the distinct items of each user, ascending
  std::vector<Click> clicks_;
};

}  // namespace fastformer::recommendation

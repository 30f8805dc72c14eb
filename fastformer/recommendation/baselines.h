#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "fastformer/metrics/ranking.h"
#include "fastformer/recommendation/impression_log.h"
#include "fastformer/recommendation/item_table.h"

namespace fastformer::recommendation {

/// Writes a score for each candidate of impression `i` of a log to `scores`, which has the right
/// size.
using ImpressionScorer =
    std::function<void(std::int64_t i, const Impression&, std::vector<double>& scores)>;

/// Baselines for every model. Each is a scorer for rank_with(), for one thread; its arguments must
/// outlive it.
///
///   random       a random number from the seed and the impression
///   popularity   number of clicks on the item in the training part
///   category     share of the user's clicks in the item's category
ImpressionScorer random_baseline(std::uint64_t seed);
ImpressionScorer popularity_baseline(const ImpressionLog& train, const ItemTable& items);
ImpressionScorer category_baseline(const ItemTable& items);

/// Runs a scorer over all impressions. Throws std::invalid_argument for a log without labels.
metrics::RankingMean rank_with(const ImpressionScorer& scorer, const ImpressionLog& log);

}  // namespace fastformer::recommendation

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "fastformer/metrics/ranking.h"
#include "fastformer/recommendation/impression_log.h"
#include "fastformer/recommendation/item_table.h"

namespace fastformer::recommendation {

/// Writes a score for each candidate of impression `i` of a log to `scores`, which has one element
/// per candidate.
using ImpressionScorer =
    std::function<void(std::int64_t i, const Impression&, std::vector<double>& scores)>;

/// Baselines for recommenders: scorers for rank_with(), each for use by one thread. The arguments
/// must outlive the scorer.
///
///   random       a random number that depends on the seed and the impression
///   popularity   the number of clicks on the item in the training part
///   category     the fraction of the user's clicks that are in the item's category
ImpressionScorer random_baseline(std::uint64_t seed);
ImpressionScorer popularity_baseline(const ImpressionLog& train, const ItemTable& items);
ImpressionScorer category_baseline(const ItemTable& items);

/// Scores all impressions of a log. Throws std::invalid_argument for a log without labels.
metrics::RankingMean rank_with(const ImpressionScorer& scorer, const ImpressionLog& log);

}  // namespace fastformer::recommendation

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "fastformer/metrics/ranking.h"
#include "fastformer/recommendation/impression_log.h"
#include "fastformer/recommendation/item_table.h"

namespace fastformer::recommendation {

/// Puts a score for each candidate of impression `i` of a log into `scores`, which has the right
/// size.
using ImpressionScorer =
    std::function<void(std::int64_t i, const Impression&, std::vector<double>& scores)>;

/// What any model has to beat. Each is a scorer for rank_with(), for one thread; what it is given
/// must outlive it.
///
///   random       a number drawn by the seed and the impression
///   popularity   how often the training part has seen the news clicked
///   category     the share of the user's clicks that are of the news' category
ImpressionScorer random_baseline(std::uint64_t seed);
ImpressionScorer popularity_baseline(const ImpressionLog& train, const ItemTable& items);
ImpressionScorer category_baseline(const ItemTable& items);

/// Runs a scorer over all impressions. Throws std::invalid_argument for a log without labels.
metrics::RankingMean rank_with(const ImpressionScorer& scorer, const ImpressionLog& log);

}  // namespace fastformer::recommendation

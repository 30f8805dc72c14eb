#include "fastformer/recommendation/baselines.h"

#include <algorithm>
#include <utility>

#include "fastformer/base/random.h"

namespace fastformer::recommendation {

ImpressionScorer random_baseline(std::uint64_t seed) {
  return [seed](std::int64_t i, const Impression&, std::vector<double>& scores) {
    base::Random random(base::mix64(seed) + base::mix64(static_cast<std::uint64_t>(i) + 1));
    for (auto& score : scores) score = static_cast<double>(random.next() >> 11);
  };
}

ImpressionScorer popularity_baseline(const ImpressionLog& train, const ItemTable& items) {
  std::vector<std::int64_t> clicks(static_cast<std::size_t>(items.size()));
  for (std::int64_t i = 0; i < train.size(); ++i) {
    for (const auto& candidate : train[i].candidates) {
      if (candidate.clicked()) ++clicks[static_cast<std::size_t>(candidate.item())];
    }
  }
  // Number 0 stands for many unknown items, so its clicks do not count.
  clicks[ItemTable::kUnknown] = 0;
  return [clicks = std::move(clicks)](std::int64_t, const Impression& impression,
                                      std::vector<double>& scores) {
    std::transform(impression.candidates.begin(), impression.candidates.end(), scores.begin(),
                   [&](const auto& candidate) {
                     return static_cast<double>(clicks[static_cast<std::size_t>(candidate.item())]);
                   });
  };
}

ImpressionScorer category_baseline(const ItemTable& items) {
  return [&items, counts = std::vector<double>(items.categories().size() + 1)](
             std::int64_t, const Impression& impression, std::vector<double>& scores) mutable {
    const auto slot = [&](std::int32_t number) -> double& {
      return counts[static_cast<std::size_t>(items.category(number)) + 1];
    };
    std::fill(counts.begin(), counts.end(), 0);
    for (const auto clicked : impression.history) slot(clicked) += 1;
    counts.front() = 0;  // items without a category do not share one
    const auto clicks = static_cast<double>(std::max<std::size_t>(1, impression.history.size()));
    std::transform(impression.candidates.begin(), impression.candidates.end(), scores.begin(),
                   [&](const auto& candidate) { return slot(candidate.item()) / clicks; });
  };
}

metrics::RankingMean rank_with(const ImpressionScorer& scorer, const ImpressionLog& log) {
  check_labelled(log, "write a prediction file instead");
  metrics::RankingMean mean;
  std::vector<double> scores;
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto impression = log[i];
    scores.assign(impression.candidates.size(), 0);
    scorer(i, impression, scores);
    mean.add(relevance_of(impression.candidates), scores);
  }
  return mean;
}

}  // namespace fastformer::recommendation

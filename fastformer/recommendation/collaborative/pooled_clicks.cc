#include "fastformer/recommendation/collaborative/pooled_clicks.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "fastformer/recommendation/collaborative/score_pool.h"

namespace fastformer::recommendation {
namespace {

constexpr std::int64_t kMostPoolImpressions = 20'000;

// An impression of the validation part and the scores of titles for its candidates.
struct ScoredImpression {
  std::int64_t number;
  std::vector<double> titles;
};

std::vector<ScoredImpression> scored_sample(
    const ImpressionLog& log, const std::function<void(const ScoreUse&)>& score_validation) {
  std::vector<ScoredImpression> scored;
  const auto sample = measurable_sample(log, kMostPoolImpressions);
  std::int64_t i = 0;
  auto next = sample.begin();
  score_validation([&](const Impression&, std::span<const double> titles) {
    if (next != sample.end() && *next == i) {
      scored.push_back({i, {titles.begin(), titles.end()}});
      ++next;
    }
    ++i;
  });
  return scored;
}

PoolWeights pool(const std::vector<ScoredImpression>& impressions,
                 const std::vector<ImpressionScorer>& scorers, const ImpressionLog& log) {
  PoolScores pool{.systems = scorers.size() + 1};
  for (const auto& [number, titles] : impressions) {
    const auto impression = log[number];
    std::vector<std::vector<double>> scores;
    for (const auto& scorer : scorers) {
      scorer(number, impression, scores.emplace_back(titles.size()));
    }
    for (std::size_t c = 0; c < titles.size(); ++c) {
      pool.scores.push_back(titles[c]);
      for (const auto& of_member : scores) pool.scores.push_back(of_member[c]);
      pool.clicked.push_back(impression.candidates[c].clicked() ? 1 : 0);
    }
    pool.offsets.push_back(pool.clicked.size());
  }
  return pool_weights(pool);
}

}  // namespace

ClickScores pooled_clicks(const ClickMemberFit& fit, const std::vector<std::string>& names,
                          const Dataset& dataset,
                          const std::function<void(const ScoreUse&)>& score_validation) {
  const auto& log = dataset.parts.validation;
  std::vector<std::size_t> taken;
  const auto& members = fit.on_train().members;
  for (std::size_t m = 0; m < members.size(); ++m) {
    if (std::find(names.begin(), names.end(), members[m].name) != names.end()) taken.push_back(m);
  }
  const auto impressions = scored_sample(log, score_validation);
  PoolWeights best;
  double best_decay = 0;
  for (const double decay : {1.0, 0.98, 0.96, 0.94, 0.92, 0.9, 0.87, 0.84, 0.8}) {
    std::vector<ImpressionScorer> scorers;
    for (const auto m : taken) {
      scorers.push_back(fit.on_train().scorer(members[m], dataset.items.size(), decay));
    }
    auto pooled = pool(impressions, scorers, log);
    if (best_decay > 0 && pooled.loss >= best.loss) continue;
    best = std::move(pooled);
    best_decay = decay;
  }
  const auto& all = fit.on_all();
  const auto size = std::ssize(all.items);
  ClickScores clicks{.ids = {},
                     .weights = at::zeros({size, size}, at::kFloat),
                     .bias = at::zeros({size}, at::kFloat),
                     .titles_weight = best.weights.front(),
                     .decay = best_decay};
  for (const auto item : all.items) clicks.ids.push_back(dataset.items.id(item));
  for (std::size_t k = 0; k < taken.size(); ++k) {
    const auto& member = all.members[taken[k]];
    if (member.weights.defined()) clicks.weights.add_(member.weights, best.weights[k + 1]);
    if (member.bias.defined()) clicks.bias.add_(member.bias, best.weights[k + 1]);
  }
  return clicks;
}

}  // namespace fastformer::recommendation

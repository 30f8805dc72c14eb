#include "fastformer/metrics/ranking.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "fastformer/base/registry.h"

namespace fastformer::metrics {
namespace {

// Positions from the highest score to the lowest.
std::vector<std::size_t> descending(std::span<const double> scores) {
  if (std::any_of(scores.begin(), scores.end(), [](double s) { return std::isnan(s); })) {
    throw std::invalid_argument("a score is not a number; the model has diverged: train it again");
  }
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  std::reverse(order.begin(), order.end());
  return order;
}

std::size_t count_relevant(std::span<const std::uint8_t> relevant) {
  return static_cast<std::size_t>(std::count_if(relevant.begin(), relevant.end(),
                                                [](std::uint8_t value) { return value != 0; }));
}

// In ascending order of scores, each clicked candidate counts the unclicked ones before it and half
// of those with an equal score.
double area(const Ranking& ranking) {
  const auto& order = ranking.order;
  double won = 0, below = 0;
  for (std::size_t last = order.size(); last > 0;) {
    double clicked = 0, unclicked = 0;
    const double score = ranking.scores[order[last - 1]];
    for (; last > 0 && ranking.scores[order[last - 1]] == score; --last) {
      ++(ranking.relevant[order[last - 1]] != 0 ? clicked : unclicked);
    }
    won += clicked * (below + unclicked / 2);
    below += unclicked;
  }
  const auto count = static_cast<double>(ranking.clicks);
  return won / (count * (static_cast<double>(order.size()) - count));
}

double mean_reciprocal_rank(const Ranking& ranking) {
  double sum = 0;
  for (std::size_t i = 0; i < ranking.order.size(); ++i) {
    if (ranking.relevant[ranking.order[i]] != 0) sum += 1 / static_cast<double>(i + 1);
  }
  return sum / static_cast<double>(ranking.clicks);
}

double discount(std::size_t position) { return 1 / std::log2(static_cast<double>(position) + 2); }

double ndcg(const Ranking& ranking, std::size_t depth) {
  double gained = 0, best = 0;
  for (std::size_t i = 0; i < std::min(depth, ranking.order.size()); ++i) {
    if (ranking.relevant[ranking.order[i]] != 0) gained += discount(i);
    if (i < ranking.clicks) best += discount(i);
  }
  return gained / best;
}

base::Registry<RankingMetric>& table() {
  static base::Registry<RankingMetric> rows(
      "ranking metric",
      {{"auc", "AUC", area},
       {"mrr", "MRR", mean_reciprocal_rank},
       {"ndcg_5", "nDCG@5", [](const Ranking& ranking) { return ndcg(ranking, 5); }},
       {"ndcg_10", "nDCG@10", [](const Ranking& ranking) { return ndcg(ranking, 10); }}});
  return rows;
}

}  // namespace

const std::deque<RankingMetric>& ranking_metrics() { return table().rows(); }
void register_ranking_metric(RankingMetric metric) { table().add(std::move(metric)); }

std::vector<std::int32_t> ranks_of(std::span<const double> scores) {
  std::vector<std::int32_t> ranks(scores.size());
  std::int32_t rank = 0;
  for (const auto i : descending(scores)) ranks[i] = ++rank;
  return ranks;
}

bool measurable(std::span<const std::uint8_t> relevant) {
  const auto clicks = count_relevant(relevant);
  return clicks > 0 && clicks < relevant.size();
}

std::vector<double> score_ranking(std::span<const std::uint8_t> relevant,
                                  std::span<const double> scores) {
  if (scores.size() != relevant.size()) {
    throw std::invalid_argument("an impression of " + std::to_string(relevant.size()) +
                                " candidates has " + std::to_string(scores.size()) +
                                " scores; expected one for each");
  }
  if (!measurable(relevant)) {
    throw std::invalid_argument(
        "an impression without clicks, or with only clicks, has no AUC; skip it");
  }
  const Ranking ranking{relevant, scores, descending(scores), count_relevant(relevant)};
  std::vector<double> values;
  for (const auto& metric : ranking_metrics()) values.push_back(metric.value(ranking));
  return values;
}

void RankingMean::add(std::span<const std::uint8_t> relevant, std::span<const double> scores) {
  if (!measurable(relevant)) {
    ++skipped_;
    return;
  }
  const auto values = score_ranking(relevant, scores);
  scores_.insert(scores_.end(), values.begin(), values.end());
  ++impressions_;
}

Scores RankingMean::mean() const {
  Scores mean;
  const auto count = ranking_metrics().size();
  for (std::size_t m = 0; m < count; ++m) {
    double sum = 0;
    for (std::size_t i = m; i < scores_.size(); i += count) sum += scores_[i];
    mean.push_back({ranking_metrics()[m].name,
                    sum / static_cast<double>(std::max<std::int64_t>(1, impressions_))});
  }
  return mean;
}

void write_ranking(std::ostream& out, std::string_view id, std::span<const double> scores) {
  out << id << " [";
  const char* separator = "";
  for (const auto rank : ranks_of(scores)) {
    out << separator << rank;
    separator = ",";
  }
  out << "]\n";
}

}  // namespace fastformer::metrics

#include "fastformer/tasks/ranking_metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <ostream>
#include <stdexcept>
#include <string>

#include "fastformer/base/format.h"

namespace fastformer::tasks {
namespace {

// Positions from the highest score to the lowest.
std::vector<std::size_t> descending(std::span<const double> scores) {
  if (std::any_of(scores.begin(), scores.end(), [](double s) { return std::isnan(s); })) {
    throw std::invalid_argument("a score is not a number; the model has diverged, train it again");
  }
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  std::reverse(order.begin(), order.end());
  return order;
}

void check(std::span<const data::Candidate> candidates, std::span<const double> scores) {
  if (scores.size() != candidates.size()) {
    throw std::invalid_argument("an impression of " + std::to_string(candidates.size()) +
                                " news has " + std::to_string(scores.size()) +
                                " scores; expected one for each");
  }
}

std::size_t count_clicks(std::span<const data::Candidate> candidates) {
  return static_cast<std::size_t>(std::count_if(candidates.begin(), candidates.end(),
                                                [](const auto& c) { return c.clicked(); }));
}

// From the lowest score on, each clicked news has won against the unclicked ones before it and
// half of those that are its equals.
double area(std::span<const data::Candidate> candidates, std::span<const double> scores,
            const std::vector<std::size_t>& order, std::size_t clicks) {
  double won = 0, below = 0;
  for (std::size_t last = order.size(); last > 0;) {
    double clicked = 0, unclicked = 0;
    const double score = scores[order[last - 1]];
    for (; last > 0 && scores[order[last - 1]] == score; --last) {
      ++(candidates[order[last - 1]].clicked() ? clicked : unclicked);
    }
    won += clicked * (below + unclicked / 2);
    below += unclicked;
  }
  const auto count = static_cast<double>(clicks);
  return won / (count * (static_cast<double>(order.size()) - count));
}

double discount(std::size_t position) { return 1 / std::log2(static_cast<double>(position) + 2); }

double ndcg(std::span<const data::Candidate> candidates, const std::vector<std::size_t>& order,
            std::size_t clicks, std::size_t depth) {
  double gained = 0, best = 0;
  for (std::size_t i = 0; i < std::min(depth, order.size()); ++i) {
    if (candidates[order[i]].clicked()) gained += discount(i);
    if (i < clicks) best += discount(i);
  }
  return gained / best;
}

}  // namespace

void check_labelled(const data::ImpressionLog& log, const char* remedy) {
  if (log.labelled()) return;
  throw std::invalid_argument(
      base::format("the impressions do not say what was clicked, so that nothing can be measured; "
                   "%s",
                   remedy));
}

std::vector<std::int32_t> ranks_of(std::span<const double> scores) {
  std::vector<std::int32_t> ranks(scores.size());
  std::int32_t rank = 0;
  for (const auto i : descending(scores)) ranks[i] = ++rank;
  return ranks;
}

bool measurable(std::span<const data::Candidate> candidates) {
  const auto clicks = count_clicks(candidates);
  return clicks > 0 && clicks < candidates.size();
}

RankingScores score_ranking(std::span<const data::Candidate> candidates,
                            std::span<const double> scores) {
  check(candidates, scores);
  if (!measurable(candidates)) {
    throw std::invalid_argument(
        "an impression without a click, or with nothing but clicks, has no AUC; leave it out");
  }
  const auto clicks = count_clicks(candidates);
  const auto order = descending(scores);
  double reciprocal_ranks = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (candidates[order[i]].clicked()) reciprocal_ranks += 1 / static_cast<double>(i + 1);
  }
  return {.auc = area(candidates, scores, order, clicks),
          .mrr = reciprocal_ranks / static_cast<double>(clicks),
          .ndcg_5 = ndcg(candidates, order, clicks, 5),
          .ndcg_10 = ndcg(candidates, order, clicks, 10)};
}

void RankingMean::add(std::span<const data::Candidate> candidates, std::span<const double> scores) {
  if (measurable(candidates)) {
    scores_.push_back(score_ranking(candidates, scores));
  } else {
    ++left_out_;
  }
}

RankingScores RankingMean::mean() const {
  RankingScores sum;
  for (const auto& scores : scores_) {
    sum.auc += scores.auc;
    sum.mrr += scores.mrr;
    sum.ndcg_5 += scores.ndcg_5;
    sum.ndcg_10 += scores.ndcg_10;
  }
  const auto count = static_cast<double>(std::max<std::size_t>(1, scores_.size()));
  return {sum.auc / count, sum.mrr / count, sum.ndcg_5 / count, sum.ndcg_10 / count};
}

void write_prediction(std::ostream& out, std::string_view id, std::span<const double> scores) {
  out << id << " [";
  const char* separator = "";
  for (const auto rank : ranks_of(scores)) {
    out << separator << rank;
    separator = ",";
  }
  out << "]\n";
}

}  // namespace fastformer::tasks

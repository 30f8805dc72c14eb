#include "fastformer/tasks/score_ensemble.h"

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

namespace fastformer::tasks {
namespace {

std::size_t candidates_of(const data::ImpressionLog& log) {
  std::size_t count = 0;
  for (std::int64_t i = 0; i < log.size(); ++i) count += log[i].candidates.size();
  return count;
}

void check_size(std::size_t got, std::size_t expected) {
  if (got == expected) return;
  throw std::invalid_argument("the members of an ensemble scored " + std::to_string(expected) +
                              " shown news, but this log shows " + std::to_string(got) +
                              "; give all of them the same impressions");
}

}  // namespace

void ScoreEnsemble::add(const Recommender& model, const data::TitleTokens& titles,
                        const data::ImpressionLog& log) {
  if (members_ == 0) sums_.assign(candidates_of(log), 0);
  check_size(candidates_of(log), sums_.size());
  ++members_;
  auto* sum = sums_.data();
  score_impressions(model, titles, log,
                    [&](const data::Impression&, std::span<const double> scores) {
                      const auto count = static_cast<double>(scores.size());
                      const auto mean = std::accumulate(scores.begin(), scores.end(), 0.0) / count;
                      double squares = 0;
                      for (const auto score : scores) squares += (score - mean) * (score - mean);
                      const auto deviation = std::sqrt(squares / count);
                      for (const auto score : scores) {
                        if (deviation > 0) *sum += static_cast<float>((score - mean) / deviation);
                        ++sum;
                      }
                    });
}

void ScoreEnsemble::visit(const data::ImpressionLog& log, const ScoreUse& use) const {
  check_size(candidates_of(log), sums_.size());
  const auto* sum = sums_.data();
  std::vector<double> scores;
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto impression = log[i];
    scores.clear();
    for (std::size_t c = 0; c < impression.candidates.size(); ++c) {
      scores.push_back(*sum++ / static_cast<double>(members_));
    }
    use(impression, scores);
  }
}

}  // namespace fastformer::tasks

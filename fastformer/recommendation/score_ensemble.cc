#include "fastformer/recommendation/score_ensemble.h"

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

#include "fastformer/recommendation/impression_log.h"

namespace fastformer::recommendation {
namespace {

// Adds the standardized scores to the sums, and returns the position after them.
float* add_standardized(std::span<const double> scores, std::int64_t member, float* sums) {
  const auto count = static_cast<double>(scores.size());
  const auto mean = std::accumulate(scores.begin(), scores.end(), 0.0) / count;
  double squares = 0;
  for (const auto score : scores) squares += (score - mean) * (score - mean);
  const auto deviation = std::sqrt(squares / count);
  if (!std::isfinite(deviation)) {
    throw std::invalid_argument(
        "model " + std::to_string(member) +
        " of the ensemble gives a score that is not a number; the model has diverged: remove it");
  }
  for (const auto score : scores) {
    if (deviation > 0) *sums += static_cast<float>((score - mean) / deviation);
    ++sums;
  }
  return sums;
}

}  // namespace

void ScoreEnsemble::check_shown(const Dataset& data) {
  const auto& log = data.parts.test;
  const bool first = members_ == 1;
  std::size_t candidates = 0;
  bool same = first || log.size() == std::ssize(shown_);
  for (std::int64_t i = 0; same && i < log.size(); ++i) {
    const auto hash = hash_of_shown(log[i], data.items);
    if (first) shown_.push_back(hash);
    same = shown_[static_cast<std::size_t>(i)] == hash;
    candidates += log[i].candidates.size();
  }
  if (!same) {
    throw std::invalid_argument(
        "model " + std::to_string(members_) +
        " of the ensemble reads different impressions from those of the first; give all models the "
        "same settings, such as --set data.sampling_seed=1");
  }
  if (first) sums_.assign(candidates, 0);
}

void ScoreEnsemble::add(const RecommenderModel& model, const Dataset& data,
                        const std::shared_ptr<const ClickScores>& clicks) {
  ++members_;
  check_shown(data);
  auto* sums = sums_.data();
  score_with_clicks(model, clicks, data, data.parts.test,
                    [&](const Impression&, std::span<const double> scores) {
                      sums = add_standardized(scores, members_, sums);
                    });
}

void ScoreEnsemble::visit(const ImpressionLog& log, const ScoreUse& use) const {
  if (members_ == 0) throw std::logic_error("ScoreEnsemble: add a model first");
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

}  // namespace fastformer::recommendation

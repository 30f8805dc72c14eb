#include "fastformer/recommendation/score_ensemble.h"

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

#include "fastformer/recommendation/impression_log.h"

namespace fastformer::recommendation {
namespace {

// Appends the scores minus their mean.
void append_centred(std::span<const double> scores, std::vector<float>& all) {
  const double mean =
      std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
  for (const auto score : scores) all.push_back(static_cast<float>(score - mean));
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
  std::vector<float> own;
  own.reserve(sums_.size());
  score_with_clicks(
      model, clicks, data, data.parts.test,
      [&](const Impression&, std::span<const double> scores) { append_centred(scores, own); });
  double squares = 0;
  for (const double score : own) squares += score * score;
  const auto deviation = std::sqrt(squares / static_cast<double>(own.size()));
  if (!std::isfinite(deviation)) {
    throw std::invalid_argument(
        "model " + std::to_string(members_) +
        " of the ensemble gives a score that is not a number; the model has diverged: remove it");
  }
  if (deviation == 0) return;
  for (std::size_t i = 0; i < own.size(); ++i) {
    sums_[i] += static_cast<float>(own[i] / deviation);
  }
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

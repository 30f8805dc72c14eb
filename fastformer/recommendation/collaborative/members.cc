#include "fastformer/recommendation/collaborative/members.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/metrics/ranking.h"
#include "fastformer/recommendation/collaborative/click_matrix.h"
#include "fastformer/recommendation/collaborative/click_scores.h"
#include "fastformer/recommendation/collaborative/item_weights.h"

namespace fastformer::recommendation {
namespace {

constexpr std::int64_t kMostTuningImpressions = 5000;

// What members are fitted to.
struct FitData {
  const ClickMatrix& clicks;
  const std::vector<std::int32_t>& items;
  const at::Tensor& co_clicks;
};

// A kind of member: its possible settings, the default first, and how it is fitted.
struct Family {
  std::string name;
  std::vector<double> settings;
  std::function<std::string(double setting)> text;
  std::function<void(const FitData& data, double setting, ClickMember& member)> fit;
};

at::Tensor as_float(const at::Tensor& tensor) { return tensor.to(at::kFloat).contiguous(); }

void fit_popularity(const FitData& data, double fraction, ClickMember& member) {
  const auto counts = data.clicks.recent_clicks(fraction);
  std::vector<double> logs;
  for (const auto item : data.items) {
    logs.push_back(std::log1p(static_cast<double>(counts[static_cast<std::size_t>(item)])));
  }
  member.bias = as_float(at::tensor(logs, at::kDouble));
}

const std::vector<Family>& families() {
  static const auto names = click_member_names();
  static const std::vector<Family> all = {
      {names[0],
       {1, 0.5, 0.25, 0.1, 0.05},
       [](double fraction) { return base::format("latest %g %% of the clicks", 100 * fraction); },
       fit_popularity},
      {names[1],
       {100, 20, 50, 200, 500},
       [](double neighbours) { return base::format("%g neighbours", neighbours); },
       [](const FitData& data, double neighbours, ClickMember& member) {
         member.weights =
             as_float(neighbour_weights(data.co_clicks, static_cast<std::int64_t>(neighbours)));
       }},
      {names[2],
       {300, 30, 100, 1000, 3000},
       [](double lambda) { return base::format("lambda %g", lambda); },
       [](const FitData& data, double lambda, ClickMember& member) {
         member.weights = as_float(ease_weights(data.co_clicks, lambda));
       }}};
  return all;
}

ClickMember fitted(const Family& family, const FitData& data, double setting) {
  ClickMember member{
      .name = family.name, .setting = family.text(setting), .weights = {}, .bias = {}};
  family.fit(data, setting, member);
  return member;
}

double mrr_of(const ImpressionScorer& scorer, const ImpressionLog& log,
              const std::vector<std::int64_t>& sample) {
  metrics::RankingMean mean;
  std::vector<double> scores;
  for (const auto i : sample) {
    const auto impression = log[i];
    scores.assign(impression.candidates.size(), 0);
    scorer(i, impression, scores);
    mean.add(relevance_of(impression.candidates), scores);
  }
  return metrics::score_of(mean.mean(), "mrr");
}

}  // namespace

std::vector<std::int64_t> measurable_sample(const ImpressionLog& log, std::int64_t most) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < log.size(); ++i) {
    if (metrics::measurable(relevance_of(log[i].candidates))) all.push_back(i);
  }
  const auto size = std::ssize(all), count = std::min(size, most);
  std::vector<std::int64_t> sample;
  for (std::int64_t i = 0; i < count; ++i) {
    sample.push_back(all[static_cast<std::size_t>(i * size / count)]);
  }
  return sample;
}

ImpressionScorer ClickMembers::scorer(const ClickMember& member, std::int64_t table_items,
                                      double decay) const {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(table_items), -1);
  for (std::size_t row = 0; row < items.size(); ++row) {
    rows[static_cast<std::size_t>(items[row])] = static_cast<std::int64_t>(row);
  }
  const auto row_of = std::make_shared<const std::vector<std::int64_t>>(std::move(rows));
  return [row_of, decay, weights = member.weights, bias = member.bias](
             std::int64_t, const Impression& impression, std::vector<double>& scores) {
    for (std::size_t c = 0; c < scores.size(); ++c) {
      const auto column = (*row_of)[static_cast<std::size_t>(impression.candidates[c].item())];
      scores[c] = 0;
      if (column < 0) continue;
      if (bias.defined()) scores[c] += bias.const_data_ptr<float>()[column];
      if (weights.defined()) {
        scores[c] += decayed_weight(weights, *row_of, impression.history, column, decay);
      }
    }
  };
}

ClickMemberFit::ClickMemberFit(const Dataset& dataset, std::int64_t most, bool tune) {
  ClickMatrix clicks(dataset.items.size());
  clicks.add(dataset.parts.train);
  train_.items = clicks.clicked_items(most);
  const auto co_clicks = clicks.co_clicks(train_.items);
  const FitData data{clicks, train_.items, co_clicks};
  if (!tune) {
    for (const auto& family : families()) {
      train_.members.push_back(fitted(family, data, family.settings.front()));
    }
    all_ = train_;
    return;
  }
  const auto& validation = dataset.parts.validation;
  const auto sample = measurable_sample(validation, kMostTuningImpressions);
  if (sample.empty()) {
    throw std::invalid_argument(
        "no impression of the validation part has both a clicked and an unclicked item; "
        "model.items.members needs some to choose its settings");
  }
  std::vector<double> chosen;
  for (const auto& family : families()) {
    ClickMember best;
    double best_mrr = -1, best_setting = 0;
    for (const auto setting : family.settings) {
      auto member = fitted(family, data, setting);
      const auto mrr = mrr_of(train_.scorer(member, dataset.items.size()), validation, sample);
      if (mrr <= best_mrr) continue;
      best_mrr = mrr;
      best = std::move(member);
      best_setting = setting;
    }
    train_.members.push_back(std::move(best));
    chosen.push_back(best_setting);
  }
  clicks.add(validation);
  all_.items = clicks.clicked_items(most);
  const auto all_co_clicks = clicks.co_clicks(all_.items);
  for (std::size_t f = 0; f < chosen.size(); ++f) {
    all_.members.push_back(fitted(families()[f], {clicks, all_.items, all_co_clicks}, chosen[f]));
  }
}

}  // namespace fastformer::recommendation

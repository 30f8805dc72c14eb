#include "fastformer/recommendation/evaluation.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/metrics/bootstrap.h"
#include "fastformer/recommendation/recommender_model.h"
#include "fastformer/recommendation/two_tower.h"

namespace fastformer::recommendation {
namespace {

constexpr std::int64_t kIntervalResamples = 1000;
constexpr std::int64_t kUsersAtOnce = 256;
constexpr std::int64_t kMatchedAtOnce = 64;  // pairs of user and candidate, where each is large

std::vector<std::int32_t> numbers_of(std::span<const Candidate> candidates) {
  std::vector<std::int32_t> numbers;
  for (const auto& candidate : candidates) numbers.push_back(candidate.item());
  return numbers;
}

// Divides the scores of several impressions among them.
void hand_out(const at::Tensor& scores, const ImpressionLog& log, std::int64_t first,
              std::int64_t last, const ScoreUse& use) {
  const auto values = scores.to(at::kDouble).contiguous();
  std::span<const double> rest(values.const_data_ptr<double>(),
                               static_cast<std::size_t>(values.numel()));
  for (auto i = first; i < last; ++i) {
    const auto impression = log[i];
    use(impression, rest.first(impression.candidates.size()));
    rest = rest.subspan(impression.candidates.size());
  }
}

// The rows [N, e] of the items of a log, and the position of each item.
struct EncodedItems {
  at::Tensor rows;
  std::vector<std::int64_t> row_of;  ///< of each item of the table; -1: not in the log
};

std::vector<bool> mentioned_items(const TitleTokens& titles, const ImpressionLog& log) {
  std::vector<bool> mentioned(static_cast<std::size_t>(titles.size()));
  const auto mention = [&](std::int32_t item) {
    if (item < 0 || item >= titles.size()) {
      throw std::invalid_argument("the log mentions the item number " + std::to_string(item) +
                                  ", but there are " + std::to_string(titles.size()) +
                                  " titles; use the table that the log was read with");
    }
    mentioned[static_cast<std::size_t>(item)] = true;
  };
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto impression = log[i];
    for (const auto item : impression.history) mention(item);
    for (const auto& candidate : impression.candidates) mention(candidate.item());
  }
  return mentioned;
}

EncodedItems encode_mentioned(const RecommenderModel& model, const TitleTokens& titles,
                              const ImpressionLog& log) {
  const auto mentioned = mentioned_items(titles, log);
  EncodedItems result{.rows = {}, .row_of = std::vector<std::int64_t>(mentioned.size(), -1)};
  std::vector<std::int32_t> items;
  for (std::size_t n = 0; n < mentioned.size(); ++n) {
    if (!mentioned[n]) continue;
    result.row_of[n] = static_cast<std::int64_t>(items.size());
    items.push_back(static_cast<std::int32_t>(n));
  }
  result.rows = encode_titles(model, titles, items);
  return result;
}

// The distinct histories of a log, in the order in which they come.
struct DistinctHistories {
  std::vector<ImpressionLog::HistoryRange> ranges;
  std::vector<std::int64_t> of;  ///< of each impression, its position in `ranges`
};

DistinctHistories distinct_histories(const ImpressionLog& log) {
  DistinctHistories histories;
  std::map<std::pair<std::int64_t, std::int32_t>, std::int64_t> positions;
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto range = log.history_of(i);
    const auto next = std::ssize(histories.ranges);
    const auto [entry, added] = positions.emplace(std::pair(range.first, range.count), next);
    if (added) histories.ranges.push_back(range);
    histories.of.push_back(entry->second);
  }
  return histories;
}

// The vectors of users with these histories: [U, d].
at::Tensor encode_histories(const RecommenderModel& model, const EncodedItems& items,
                            const ImpressionLog& log, const DistinctHistories& histories) {
  const auto count = std::ssize(histories.ranges);
  at::Tensor users;
  for (std::int64_t first = 0; first < count; first += kUsersAtOnce) {
    const auto last = std::min(first + kUsersAtOnce, count);
    std::vector<std::int64_t> rows, offsets = {0};
    for (auto h = first; h < last; ++h) {
      for (const auto number : log.clicks(histories.ranges[static_cast<std::size_t>(h)])) {
        rows.push_back(items.row_of[static_cast<std::size_t>(number)]);
      }
      offsets.push_back(std::ssize(rows));
    }
    const auto part = model.encode_users(items.rows, {rows, nn::Offsets(offsets)});
    if (!users.defined()) users = at::empty({count, part.size(1)}, part.options());
    users.narrow(0, first, last - first).copy_(part);
  }
  return users;
}

void score_with_vectors(const RecommenderModel& model, const TitleTokens& titles,
                        const ImpressionLog& log, const ScoreUse& use) {
  const auto items = encode_mentioned(model, titles, log);
  const auto histories = distinct_histories(log);
  const auto users = encode_histories(model, items, log, histories);
  for (std::int64_t first = 0; first < log.size(); first += kUsersAtOnce) {
    const auto last = std::min(first + kUsersAtOnce, log.size());
    std::vector<std::int64_t> candidates, offsets = {0};
    for (auto i = first; i < last; ++i) {
      for (const auto& candidate : log[i].candidates) {
        candidates.push_back(items.row_of[static_cast<std::size_t>(candidate.item())]);
      }
      offsets.push_back(std::ssize(candidates));
    }
    const std::span<const std::int64_t> of(histories.of);
    const auto rows = select_rows(
        users, of.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first)));
    hand_out(match_vectors(rows, items.rows, {candidates, nn::Offsets(offsets)}), log, first, last,
             use);
  }
}

void score_in_batches(const RecommenderModel& model, const TitleTokens& titles,
                      const ImpressionLog& log, const ScoreUse& use) {
  ItemBatchBuilder builder(titles);
  for (std::int64_t first = 0; first < log.size();) {
    std::int64_t last = first, pairs = 0;
    while (last < log.size() && pairs < kMatchedAtOnce) {
      const auto impression = log[last++];
      builder.add(impression.history, numbers_of(impression.candidates));
      pairs += static_cast<std::int64_t>(impression.candidates.size());
    }
    hand_out(model.scores(builder.take(), /*training=*/false), log, first, last, use);
    first = last;
  }
}

// The sum over the clicks of -log(e^click / (e^click + sum of e^unclicked)).
double click_loss(std::span<const Candidate> candidates, std::span<const double> scores) {
  const double highest = *std::max_element(scores.begin(), scores.end());
  double unclicked = 0, sum = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!candidates[i].clicked()) unclicked += std::exp(scores[i] - highest);
  }
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!candidates[i].clicked()) continue;
    sum += std::log(std::exp(scores[i] - highest) + unclicked) - (scores[i] - highest);
  }
  return sum;
}

// Of each metric.
std::vector<metrics::MeanInterval> intervals_of(const metrics::RankingMean& ranking) {
  return metrics::bootstrap_means(ranking.scores(), metrics::ranking_metrics().size(),
                                  {.resamples = kIntervalResamples});
}

}  // namespace

void score_impressions(const RecommenderModel& model, const TitleTokens& titles,
                       const ImpressionLog& log, const ScoreUse& use) {
  if (log.size() == 0) return;
  const c10::NoGradGuard no_gradients;
  if (model.has_vectors()) {
    score_with_vectors(model, titles, log, use);
  } else {
    score_in_batches(model, titles, log, use);
  }
}

void score_with_clicks(const RecommenderModel& model,
                       const std::shared_ptr<const ClickScores>& clicks, const Dataset& dataset,
                       const ImpressionLog& log, const ScoreUse& use) {
  if (!clicks) return score_impressions(model, dataset.titles, log, use);
  const TableClickScores of_table(clicks, dataset.items);
  score_impressions(model, dataset.titles, log, of_table.with_clicks(use));
}

void RecommenderMeter::add(const Impression& impression, std::span<const double> scores) {
  const auto relevant = relevance_of(impression.candidates);
  ++impressions_;
  ranking_.add(relevant, scores);
  if (!metrics::measurable(relevant)) return;
  loss_ += click_loss(impression.candidates, scores);
  clicks_ += std::count(relevant.begin(), relevant.end(), std::uint8_t{1});
}

Evaluation RecommenderMeter::result() const {
  if (clicks_ == 0) {
    throw std::invalid_argument("none of the " + std::to_string(impressions_) +
                                " impressions has both a clicked and an unclicked item");
  }
  return {.ranking = ranking_, .loss = loss_ / static_cast<double>(clicks_)};
}

Evaluation evaluate(const RecommenderModel& model, const TitleTokens& titles,
                    const ImpressionLog& log) {
  check_labelled(log, "write a prediction file instead");
  RecommenderMeter meter;
  score_impressions(model, titles, log,
                    [&](const Impression& impression, std::span<const double> scores) {
                      meter.add(impression, scores);
                    });
  return meter.result();
}

void write_rankings(const std::function<void(const ScoreUse&)>& score,
                    const std::filesystem::path& file, RecommenderMeter* meter) {
  base::write_file_atomically(file, [&](std::ostream& out) {
    score([&](const Impression& impression, std::span<const double> scores) {
      metrics::write_ranking(out, impression.id, scores);
      if (meter != nullptr) meter->add(impression, scores);
    });
  });
}

std::string ranking_text(const metrics::Scores& scores) {
  std::string text;
  for (const auto& [name, value] : scores) {
    text += base::format("%s%s %.4f", text.empty() ? "" : "   ", metrics::score_title(name).c_str(),
                         value);
  }
  return text;
}

std::string mrr_gain_text(const metrics::RankingMean& first, const metrics::RankingMean& second) {
  const auto& all = metrics::ranking_metrics();
  const auto mrr = static_cast<std::size_t>(
      std::ranges::find(all, "mrr", &metrics::RankingMetric::name) - all.begin());
  const auto values = [&](const metrics::RankingMean& ranking) {
    std::vector<double> column;
    for (auto i = mrr; i < ranking.scores().size(); i += all.size()) {
      column.push_back(ranking.scores()[i]);
    }
    return column;
  };
  const auto gain = metrics::paired_bootstrap_of_means(values(second), values(first),
                                                       {.resamples = kIntervalResamples});
  return base::format("MRR %+.4f (%+.4f to %+.4f)", gain.difference, gain.low, gain.high);
}

std::string evaluation_table(const Evaluation& evaluation) {
  auto text =
      ranking_text(evaluation.ranking.mean()) +
      base::format("   loss %.4f   impressions %lld   skipped %lld\n95 %% intervals:",
                   evaluation.loss, static_cast<long long>(evaluation.ranking.impressions()),
                   static_cast<long long>(evaluation.ranking.skipped()));
  const auto intervals = intervals_of(evaluation.ranking);
  for (std::size_t m = 0; m < intervals.size(); ++m) {
    text += base::format("   %s %.4f to %.4f", metrics::ranking_metrics()[m].title.c_str(),
                         intervals[m].low, intervals[m].high);
  }
  return text + "\n";
}

std::string evaluation_json(const Evaluation& evaluation) {
  nlohmann::ordered_json json;
  for (const auto& [name, value] : evaluation.ranking.mean()) json[name] = value;
  json["loss"] = evaluation.loss;
  json["impressions"] = evaluation.ranking.impressions();
  json["skipped"] = evaluation.ranking.skipped();
  const auto intervals = intervals_of(evaluation.ranking);
  for (std::size_t m = 0; m < intervals.size(); ++m) {
    json["intervals"][metrics::ranking_metrics()[m].name] = {intervals[m].low, intervals[m].high};
  }
  return json.dump(2);
}

}  // namespace fastformer::recommendation

#include "fastformer/tasks/recommender_evaluation.h"

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
#include "fastformer/tasks/bootstrap.h"
#include "fastformer/tasks/title_vectors.h"
#include "fastformer/tasks/two_tower.h"

namespace fastformer::tasks {
namespace {

struct RankingMeasure {
  const char *name, *title;
  double RankingScores::* score;
};

constexpr std::array kRankingMeasures = {
    RankingMeasure{"auc", "AUC", &RankingScores::auc},
    RankingMeasure{"mrr", "MRR", &RankingScores::mrr},
    RankingMeasure{"ndcg_5", "nDCG@5", &RankingScores::ndcg_5},
    RankingMeasure{"ndcg_10", "nDCG@10", &RankingScores::ndcg_10}};

constexpr std::int64_t kIntervalResamples = 1000;
constexpr std::int64_t kUsersAtOnce = 256;
constexpr std::int64_t kMatchedAtOnce = 64;  // pairs of user and candidate, where each is large

std::vector<std::int32_t> numbers_of(std::span<const data::Candidate> candidates) {
  std::vector<std::int32_t> numbers;
  for (const auto& candidate : candidates) numbers.push_back(candidate.news());
  return numbers;
}

// Gives each impression its part of the scores of several.
void hand_out(const at::Tensor& scores, const data::ImpressionLog& log, std::int64_t first,
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

// The rows [N, e] of the news that a log mentions, and where each lies.
struct EncodedNews {
  at::Tensor rows;
  std::vector<std::int64_t> row_of;  ///< of each news of the table; -1: not mentioned
};

std::vector<bool> mentioned_news(const data::TitleTokens& titles, const data::ImpressionLog& log) {
  std::vector<bool> mentioned(static_cast<std::size_t>(titles.size()));
  const auto mention = [&](std::int32_t news) {
    if (news < 0 || news >= titles.size()) {
      throw std::invalid_argument("the log mentions the news number " + std::to_string(news) +
                                  ", but there are " + std::to_string(titles.size()) +
                                  " titles; use the table that the log was read with");
    }
    mentioned[static_cast<std::size_t>(news)] = true;
  };
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto impression = log[i];
    for (const auto news : impression.history) mention(news);
    for (const auto& candidate : impression.candidates) mention(candidate.news());
  }
  return mentioned;
}

EncodedNews encode_mentioned(const Recommender& model, const data::TitleTokens& titles,
                             const data::ImpressionLog& log) {
  const auto mentioned = mentioned_news(titles, log);
  EncodedNews result{.rows = {}, .row_of = std::vector<std::int64_t>(mentioned.size(), -1)};
  std::vector<std::int32_t> news;
  for (std::size_t n = 0; n < mentioned.size(); ++n) {
    if (!mentioned[n]) continue;
    result.row_of[n] = static_cast<std::int64_t>(news.size());
    news.push_back(static_cast<std::int32_t>(n));
  }
  result.rows = encode_titles(model, titles, news);
  return result;
}

// The distinct histories of a log, in the order in which they come.
struct DistinctHistories {
  std::vector<data::ImpressionLog::HistoryRange> ranges;
  std::vector<std::int64_t> of;  ///< of each impression, its position in `ranges`
};

DistinctHistories distinct_histories(const data::ImpressionLog& log) {
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
at::Tensor encode_histories(const Recommender& model, const EncodedNews& news,
                            const data::ImpressionLog& log, const DistinctHistories& histories) {
  const auto count = std::ssize(histories.ranges);
  at::Tensor users;
  for (std::int64_t first = 0; first < count; first += kUsersAtOnce) {
    const auto last = std::min(first + kUsersAtOnce, count);
    std::vector<std::int64_t> rows, offsets = {0};
    for (auto h = first; h < last; ++h) {
      for (const auto number : log.clicks(histories.ranges[static_cast<std::size_t>(h)])) {
        rows.push_back(news.row_of[static_cast<std::size_t>(number)]);
      }
      offsets.push_back(std::ssize(rows));
    }
    const auto part = model.encode_users(news.rows, {rows, nn::Offsets(offsets)});
    if (!users.defined()) users = at::empty({count, part.size(1)}, part.options());
    users.narrow(0, first, last - first).copy_(part);
  }
  return users;
}

void score_with_vectors(const Recommender& model, const data::TitleTokens& titles,
                        const data::ImpressionLog& log, const ScoreUse& use) {
  const auto news = encode_mentioned(model, titles, log);
  const auto histories = distinct_histories(log);
  const auto users = encode_histories(model, news, log, histories);
  for (std::int64_t first = 0; first < log.size(); first += kUsersAtOnce) {
    const auto last = std::min(first + kUsersAtOnce, log.size());
    std::vector<std::int64_t> candidates, offsets = {0};
    for (auto i = first; i < last; ++i) {
      for (const auto& candidate : log[i].candidates) {
        candidates.push_back(news.row_of[static_cast<std::size_t>(candidate.news())]);
      }
      offsets.push_back(std::ssize(candidates));
    }
    const std::span<const std::int64_t> of(histories.of);
    const auto rows = select_rows(
        users, of.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first)));
    hand_out(match_vectors(rows, news.rows, {candidates, nn::Offsets(offsets)}), log, first, last,
             use);
  }
}

void score_in_batches(const Recommender& model, const data::TitleTokens& titles,
                      const data::ImpressionLog& log, const ScoreUse& use) {
  NewsBatchBuilder builder(titles);
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
double click_loss(std::span<const data::Candidate> candidates, std::span<const double> scores) {
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

// Of each measure.
std::vector<MeanInterval> intervals_of(const RankingMean& ranking) {
  std::vector<double> scores;
  for (const auto& impression : ranking.scores()) {
    for (const auto& measure : kRankingMeasures) scores.push_back(impression.*measure.score);
  }
  return bootstrap_means(scores, kRankingMeasures.size(), {.resamples = kIntervalResamples});
}

}  // namespace

void score_impressions(const Recommender& model, const data::TitleTokens& titles,
                       const data::ImpressionLog& log, const ScoreUse& use) {
  if (log.size() == 0) return;
  const c10::NoGradGuard no_gradients;
  if (model.has_vectors()) {
    score_with_vectors(model, titles, log, use);
  } else {
    score_in_batches(model, titles, log, use);
  }
}

void RecommenderMeter::add(const data::Impression& impression, std::span<const double> scores) {
  const auto candidates = impression.candidates;
  ++impressions_;
  ranking_.add(candidates, scores);
  if (!measurable(candidates)) return;
  loss_ += click_loss(candidates, scores);
  clicks_ += std::count_if(candidates.begin(), candidates.end(),
                           [](const auto& c) { return c.clicked(); });
}

RecommenderEvaluation RecommenderMeter::result() const {
  if (clicks_ == 0) {
    throw std::invalid_argument("none of the " + std::to_string(impressions_) +
                                " impressions has both a clicked and an unclicked news");
  }
  return {.ranking = ranking_, .loss = loss_ / static_cast<double>(clicks_)};
}

RecommenderEvaluation evaluate(const Recommender& model, const data::TitleTokens& titles,
                               const data::ImpressionLog& log) {
  check_labelled(log, "write a prediction file instead");
  RecommenderMeter meter;
  score_impressions(model, titles, log,
                    [&](const data::Impression& impression, std::span<const double> scores) {
                      meter.add(impression, scores);
                    });
  return meter.result();
}

void write_predictions(const std::function<void(const ScoreUse&)>& score,
                       const std::filesystem::path& file, RecommenderMeter* meter) {
  base::write_file_atomically(file, [&](std::ostream& out) {
    score([&](const data::Impression& impression, std::span<const double> scores) {
      write_prediction(out, impression.id, scores);
      if (meter != nullptr) meter->add(impression, scores);
    });
  });
}

std::string ranking_text(const RankingScores& scores) {
  std::string text;
  for (const auto& measure : kRankingMeasures) {
    text +=
        base::format("%s%s %.4f", text.empty() ? "" : "   ", measure.title, scores.*measure.score);
  }
  return text;
}

std::string evaluation_table(const RecommenderEvaluation& evaluation) {
  auto text =
      ranking_text(evaluation.ranking.mean()) +
      base::format("   loss %.4f   impressions %lld   left out %lld\n95 %% intervals:",
                   evaluation.loss, static_cast<long long>(evaluation.ranking.impressions()),
                   static_cast<long long>(evaluation.ranking.left_out()));
  const auto intervals = intervals_of(evaluation.ranking);
  for (std::size_t m = 0; m < kRankingMeasures.size(); ++m) {
    text += base::format("   %s %.4f to %.4f", kRankingMeasures[m].title, intervals[m].low,
                         intervals[m].high);
  }
  return text + "\n";
}

std::string evaluation_json(const RecommenderEvaluation& evaluation) {
  const auto mean = evaluation.ranking.mean();
  nlohmann::ordered_json json;
  for (const auto& measure : kRankingMeasures) json[measure.name] = mean.*measure.score;
  json["loss"] = evaluation.loss;
  json["impressions"] = evaluation.ranking.impressions();
  json["left_out"] = evaluation.ranking.left_out();
  const auto intervals = intervals_of(evaluation.ranking);
  for (std::size_t m = 0; m < kRankingMeasures.size(); ++m) {
    json["intervals"][kRankingMeasures[m].name] = {intervals[m].low, intervals[m].high};
  }
  return json.dump(2);
}

}  // namespace fastformer::tasks

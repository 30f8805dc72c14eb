#include "fastformer/recommendation/impression_log.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "fastformer/base/random.h"

namespace fastformer::recommendation {

ImpressionLog::HistoryRange ImpressionLog::add_history(std::span<const std::int32_t> clicks) {
  const HistoryRange range{static_cast<std::int64_t>(clicks_->size()),
                           static_cast<std::int32_t>(clicks.size())};
  clicks_->insert(clicks_->end(), clicks.begin(), clicks.end());
  return range;
}

void ImpressionLog::add(const Impression& impression, HistoryRange history) {
  const auto& shown = impression.candidates;
  histories_.push_back(history);
  candidates_.insert(candidates_.end(), shown.begin(), shown.end());
  candidate_offsets_.push_back(static_cast<std::int64_t>(candidates_.size()));
  times_.push_back(impression.time);
  users_.push_back(impression.user);
  ids_ += impression.id;
  id_offsets_.push_back(static_cast<std::int64_t>(ids_.size()));

  const auto user = static_cast<std::size_t>(impression.user);
  if (user >= user_seen_.size()) user_seen_.resize(std::max(user + 1, 2 * user_seen_.size()));
  if (!user_seen_[user]) ++counts_.users;
  user_seen_[user] = true;
  const auto clicked =
      std::count_if(shown.begin(), shown.end(), [](const Candidate& c) { return c.clicked(); });
  counts_.candidates += static_cast<std::int64_t>(shown.size());
  counts_.clicks += clicked;
  if (history.count == 0) ++counts_.empty_histories;
  if (clicked == 0) {
    ++counts_.without_clicks;
  } else if (clicked == static_cast<std::ptrdiff_t>(shown.size())) {
    ++counts_.without_negatives;
  }
}

ImpressionLog ImpressionLog::sibling() const {
  ImpressionLog log;
  log.clicks_ = clicks_;
  log.labelled_ = labelled_;
  return log;
}

Impression ImpressionLog::operator[](std::int64_t i) const {
  const auto at = static_cast<std::size_t>(i);
  const auto cut = [at](const auto& values, const std::vector<std::int64_t>& offsets) {
    const auto first = static_cast<std::size_t>(offsets[at]);
    return std::span(values).subspan(first, static_cast<std::size_t>(offsets[at + 1]) - first);
  };
  const auto id = cut(ids_, id_offsets_);
  return {.id = std::string_view(id.data(), id.size()),
          .user = users_[at],
          .time = times_[at],
          .history = clicks(histories_[at]),
          .candidates = cut(candidates_, candidate_offsets_)};
}

namespace {

// The earliest time of the last `fraction` of the sorted times; later than all of them for a
// fraction of 0.
double last_part(const std::vector<double>& sorted, double fraction) {
  const auto count =
      static_cast<std::size_t>(std::llround(fraction * static_cast<double>(sorted.size())));
  return count == 0 ? std::numeric_limits<double>::infinity() : sorted[sorted.size() - count];
}

void check_part(const ImpressionLog& part, double fraction, const char* name) {
  if (fraction > 0 && part.size() == 0) {
    throw std::invalid_argument(
        std::string("data.") + name + "_fraction = " + std::to_string(fraction) +
        " leaves no impression for that part; increase it, or give files for that part");
  }
}

}  // namespace

LogParts split_by_time(const ImpressionLog& log, double validation_fraction, double test_fraction) {
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(log.size()));
  for (std::int64_t i = 0; i < log.size(); ++i) times.push_back(log[i].time);
  std::sort(times.begin(), times.end());
  const auto test_from = last_part(times, test_fraction);
  const auto validation_from = last_part(times, test_fraction + validation_fraction);
  LogParts parts{.train = log.sibling()};
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto impression = log[i];
    const bool test = impression.time >= test_from && test_fraction > 0;
    const bool validation = impression.time >= validation_from && validation_fraction > 0;
    auto& part = test ? parts.test : validation ? parts.validation : parts.train;
    part.add(impression, log.history_of(i));
  }
  parts.train.count_unknown(log.counts().unknown_history, log.counts().unknown_candidates);
  if (log.size() > 0 && parts.train.size() == 0) {
    throw std::invalid_argument(
        "all impressions have the same time, so they cannot be split by time; give files for "
        "validation and test");
  }
  check_part(parts.validation, validation_fraction, "validation");
  check_part(parts.test, test_fraction, "test");
  return parts;
}

std::vector<std::uint8_t> relevance_of(std::span<const Candidate> candidates) {
  std::vector<std::uint8_t> relevant;
  relevant.reserve(candidates.size());
  for (const auto& candidate : candidates) relevant.push_back(candidate.clicked() ? 1 : 0);
  return relevant;
}

void check_labelled(const ImpressionLog& log, const char* remedy) {
  if (log.labelled()) return;
  throw std::invalid_argument(
      std::string("the impressions have no labels -0 and -1, so nothing can be measured; ") +
      remedy);
}

std::uint64_t hash_of_shown(const Impression& impression, const ItemTable& items) {
  auto hash = base::fnv1a(impression.id);
  for (const auto& candidate : impression.candidates) {
    hash = base::fnv1a(candidate.clicked() ? "+" : "-", hash);
    hash = base::fnv1a(items.id(candidate.item()), hash);
  }
  return hash;
}

}  // namespace fastformer::recommendation

#include "fastformer/recommendation/collaborative/click_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace fastformer::recommendation {
namespace {

void make_distinct(std::vector<std::int32_t>& items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
}

}  // namespace

void ClickMatrix::add(const ImpressionLog& log) {
  constexpr std::size_t kMostRepetitions = 1024;
  // Of each user, the history that was added last and the size below which repetitions are kept:
  // a later history often begins as the former one.
  struct Progress {
    ImpressionLog::HistoryRange history;
    std::size_t limit = kMostRepetitions;
  };
  std::vector<Progress> users;
  for (std::int64_t i = 0; i < log.size(); ++i) {
    const auto impression = log[i];
    const auto user = static_cast<std::size_t>(impression.user);
    if (user >= users_.size()) users_.resize(user + 1);
    if (user >= users.size()) users.resize(user + 1);
    auto& items = users_[user];
    const auto range = log.history_of(i);
    auto& [former, limit] = users[user];
    const bool goes_on = range.first == former.first && range.count >= former.count;
    const auto added = impression.history.subspan(goes_on ? former.count : 0);
    items.insert(items.end(), added.begin(), added.end());
    former = range;
    for (const auto& candidate : impression.candidates) {
      if (!candidate.clicked() || candidate.item() == ItemTable::kUnknown) continue;
      items.push_back(candidate.item());
      clicks_.push_back({impression.time, candidate.item()});
    }
    if (items.size() > limit) {
      make_distinct(items);
      limit = 2 * items.size() + kMostRepetitions;
    }
  }
  for (auto& items : users_) {
    make_distinct(items);
    if (!items.empty() && items.front() == ItemTable::kUnknown) items.erase(items.begin());
  }
}

std::vector<std::int32_t> ClickMatrix::clicked_items(std::int64_t most) const {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(items_));
  for (const auto& user : users_) {
    for (const auto item : user) ++counts[static_cast<std::size_t>(item)];
  }
  std::vector<std::int32_t> items;
  for (std::size_t item = 0; item < counts.size(); ++item) {
    if (counts[item] > 0) items.push_back(static_cast<std::int32_t>(item));
  }
  std::stable_sort(items.begin(), items.end(), [&](auto a, auto b) {
    return counts[static_cast<std::size_t>(a)] > counts[static_cast<std::size_t>(b)];
  });
  if (std::ssize(items) > most) items.resize(static_cast<std::size_t>(most));
  std::sort(items.begin(), items.end());
  return items;
}

at::Tensor ClickMatrix::co_clicks(std::span<const std::int32_t> items) const {
  const auto size = std::ssize(items);
  std::vector<std::int64_t> row_of(static_cast<std::size_t>(items_), -1);
  for (std::int64_t row = 0; row < size; ++row) {
    row_of[static_cast<std::size_t>(items[static_cast<std::size_t>(row)])] = row;
  }
  auto counts = at::zeros({size, size}, at::kDouble);
  auto* count = counts.mutable_data_ptr<double>();
  std::vector<std::int64_t> rows;
  for (const auto& user : users_) {
    rows.clear();
    for (const auto item : user) {
      const auto row = row_of[static_cast<std::size_t>(item)];
      if (row >= 0) rows.push_back(row);
    }
    for (const auto a : rows) {
      for (const auto b : rows) count[a * size + b] += 1;
    }
  }
  return counts;
}

std::vector<std::int64_t> ClickMatrix::recent_clicks(double fraction) const {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(items_));
  if (clicks_.empty()) return counts;
  std::vector<double> times;
  for (const auto& click : clicks_) times.push_back(click.time);
  const auto kept = std::clamp<std::int64_t>(
      std::llround(fraction * static_cast<double>(times.size())), 1, std::ssize(times));
  const auto first = times.end() - kept;
  std::nth_element(times.begin(), first, times.end());
  for (const auto& click : clicks_) {
    if (click.time >= *first) ++counts[static_cast<std::size_t>(click.item)];
  }
  return counts;
}

}  // namespace fastformer::recommendation

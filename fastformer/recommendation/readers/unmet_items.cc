#include "fastformer/recommendation/readers/unmet_items.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace fastformer::recommendation {

UnmetItems::UnmetItems(std::int64_t items, std::int64_t count, std::int64_t seed)
    : items_(items),
      count_(count),
      seed_(base::mix64(static_cast<std::uint64_t>(seed))),
      marks_(static_cast<std::size_t>(items) + 1) {}

void UnmetItems::begin_user(std::string_view name, std::span<const std::int32_t> met) {
  random_ = base::Random(seed_ ^ base::fnv1a(name));
  user_mark_ = ++mark_;
  unmet_count_ = items_;
  for (const auto item : met) {
    auto& mark = marks_[static_cast<std::size_t>(item)];
    if (mark != user_mark_ && item != 0) --unmet_count_;
    mark = user_mark_;
  }
  unmet_.clear();
  // If most items were met, or most of the others are requested, random draws would find few new
  // ones.
  if (unmet_count_ >= items_ / 2 && unmet_count_ >= 2 * count_) return;
  for (std::int32_t item = 1; item <= items_; ++item) {
    if (marks_[static_cast<std::size_t>(item)] != user_mark_) unmet_.push_back(item);
  }
}

void UnmetItems::draw_listed() {
  const auto count = std::min(static_cast<std::size_t>(count_), unmet_.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(unmet_[i], unmet_[i + random_.below(unmet_.size() - i)]);
    candidates_.emplace_back(unmet_[i], false);
  }
}

void UnmetItems::draw_by_rejection() {
  ++mark_;
  for (std::int64_t drawn = 0; drawn < count_;) {
    const auto item =
        static_cast<std::size_t>(1 + random_.below(static_cast<std::uint64_t>(items_)));
    if (marks_[item] == user_mark_ || marks_[item] == mark_) continue;
    marks_[item] = mark_;
    candidates_.emplace_back(static_cast<std::int32_t>(item), false);
    ++drawn;
  }
}

std::span<const Candidate> UnmetItems::around(std::int32_t click) {
  candidates_.clear();
  if (unmet_.empty() && unmet_count_ > 0) {
    draw_by_rejection();
  } else {
    draw_listed();
  }
  candidates_.emplace_back(click, true);
  std::swap(candidates_.back(), candidates_[random_.below(candidates_.size())]);
  return candidates_;
}

}  // namespace fastformer::recommendation

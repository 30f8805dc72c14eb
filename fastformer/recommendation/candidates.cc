#include "fastformer/recommendation/candidates.h"

#include <unordered_set>

namespace fastformer::recommendation {

Numbers numbers_of(const ItemTable& items, std::span<const std::string> ids,
                   std::vector<std::string>& unknown) {
  Numbers numbers;
  for (const auto& id : ids) {
    const auto number = items.find(id);
    if (number == ItemTable::kUnknown) {
      unknown.push_back(id);
    } else {
      numbers.push_back(number);
    }
  }
  return numbers;
}

Numbers without_repetitions(const Numbers& numbers) {
  std::unordered_set<std::int32_t> met;
  Numbers result;
  for (const auto number : numbers) {
    if (met.insert(number).second) result.push_back(number);
  }
  return result;
}

Numbers Candidates::numbers(std::int64_t items, std::optional<bool> exclude_seen) const {
  const std::unordered_set<std::int32_t> seen(clicks.begin(), clicks.end());
  const bool excludes = exclude_seen.value_or(!named);
  Numbers result;
  const auto add = [&](std::int32_t item) {
    if (!excludes || !seen.contains(item)) result.push_back(item);
  };
  if (named) {
    for (const auto item : *named) add(item);
  } else {
    for (std::int32_t item = 1; item < items; ++item) add(item);
  }
  return result;
}

}  // namespace fastformer::recommendation

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fastformer/recommendation/item_table.h"

namespace fastformer::recommendation {

/// Numbers of items in an ItemTable.
using Numbers = std::vector<std::int32_t>;

/// The numbers of the ids that the table has; `unknown` gets the others.
Numbers numbers_of(const ItemTable& items, std::span<const std::string> ids,
                   std::vector<std::string>& unknown);

/// Each number once, where it is first.
Numbers without_repetitions(const Numbers& numbers);

/// What can be recommended to a user.
struct Candidates {
  Numbers clicks;                ///< all that are known, oldest first
  std::optional<Numbers> named;  ///< by the request, each once; none: all items

  /// The candidates among `items` items, without the clicks if `exclude_seen`; nullopt: without
  /// them unless the request names candidates.
  Numbers numbers(std::int64_t items, std::optional<bool> exclude_seen) const;
};

}  // namespace fastformer::recommendation

#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace fastformer::data {

enum class Part : std::uint8_t { kTrain, kValidation, kTest, kDropped };

/// The properties of a row that a split needs, so that texts need not be kept in memory.
struct SplitRow {
  std::uint64_t group = 0;  ///< see group_key
  std::int32_t label = 0;   ///< below 0: the row is dropped
};

struct SplitOptions {
  double validation_fraction = 0;
  double test_fraction = 0;
  bool stratify = true;
  std::uint64_t seed = 1;
};

/// A key for the group of a row. If `group` is empty, the row forms a group of its own.
std::uint64_t group_key(std::string_view group, std::int64_t row);

/// Assigns each row to a part. Equal rows and options give equal parts on every platform.
///
///   const auto parts = assign_parts(rows, {.validation_fraction = 0.1, .seed = 7});
///
/// Rows of one group go to the same part. Groups are ordered by a seeded hash, with `stratify`
/// within each class (that of most rows of the group). The first ones become the test part, the
/// next ones the validation part; each fraction is accurate to half a group per class. Changing
/// validation_fraction does not change the test part.
std::vector<Part> assign_parts(std::span<const SplitRow> rows, const SplitOptions& options);

}  // namespace fastformer::data

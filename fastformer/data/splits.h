#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace fastformer::data {

enum class Part : std::uint8_t { kTrain, kValidation, kTest, kDropped };

/// All that a split needs to know of a row, so that texts need not be kept.
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

/// The key of a row's group; a row without one gets a group of its own.
std::uint64_t group_key(std::string_view group, std::int64_t row);

/// The part of each row: the same for the same rows and options, on every platform.
///
///   const auto parts = assign_parts(rows, {.validation_fraction = 0.1, .seed = 7});
///
/// Rows of one group go to the same part. Groups are put in the order of a seeded hash, within each
/// class when stratified (a group counts as its most frequent class), and the first rows become
/// test, the next validation: the fractions are met to half a group per class. A change of
/// validation_fraction leaves the test part as it is.
std::vector<Part> assign_parts(std::span<const SplitRow> rows, const SplitOptions& options);

}  // namespace fastformer::data

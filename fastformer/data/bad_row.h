#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>

#include "fastformer/base/config_field.h"

namespace fastformer::data {

/// Thrown for a record that cannot be read if the reader can continue with the next one.
struct BadRow : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// What a reader does with a bad row: report an error, or skip the row.
enum class BadRows : std::uint8_t { kError, kSkip };

}  // namespace fastformer::data

namespace fastformer::base {
template <>
inline constexpr std::array kWords<data::BadRows> = {"error", "skip"};
}  // namespace fastformer::base

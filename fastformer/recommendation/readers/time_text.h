#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fastformer::recommendation {

/// Seconds since 1970 of a time as MIND writes it (11/15/2019 8:55:22 AM) or by ISO 8601
/// (2019-11-15, 2019-11-15T08:55:22, with a blank for the T, a fraction, Z or +01:00); nothing for
/// what is neither.
std::optional<double> parse_time(std::string_view text);

}  // namespace fastformer::recommendation

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fastformer::recommendation {

/// Seconds since 1970 of a time in MIND's format (11/15/2019 8:55:22 AM) or ISO 8601 (2019-11-15,
/// 2019-11-15T08:55:22, also with a space for the T, a fraction, Z or +01:00); nullopt for other
/// texts.
std::optional<double> parse_time(std::string_view text);

}  // namespace fastformer::recommendation

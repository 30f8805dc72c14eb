#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

namespace fastformer::base {

/// `value` as JSON in one line; bytes that are not UTF-8 are replaced.
std::string json_text(const nlohmann::ordered_json& value);
/// A list of numbers as JSON, each with as many digits as it takes to read it back equal.
std::string json_list(std::span<const float> values);

}  // namespace fastformer::base

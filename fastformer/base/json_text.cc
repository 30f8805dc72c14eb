#include "fastformer/base/json_text.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace fastformer::base {

std::string json_text(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_list(std::span<const float> values) {
  std::string list = "[";
  for (const float value : values) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
    if (list.size() > 1) list += ',';
    list.append(digits.begin(), end);
  }
  return list + "]";
}

}  // namespace fastformer::base

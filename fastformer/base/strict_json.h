#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fastformer::base {

/// Parses JSON as nlohmann does, but refuses what it lets through: a name that appears twice in an
/// object (the last would win) and a NUL byte (it would end the text).
///
///   const auto header = parse_strict_json<nlohmann::json>(text, "model.safetensors");
///
/// `Json` is nlohmann::json, or nlohmann::ordered_json where the order of names matters.
/// Throws std::invalid_argument that starts with `where` and the line.
template <class Json>
Json parse_strict_json(std::string_view text, const std::string& where) {
  if (text.find('\0') != std::string_view::npos) {
    throw std::invalid_argument(where + ": is not JSON, it contains a NUL byte");
  }
  std::vector<std::set<std::string>> names;
  const auto refuse_duplicates = [&](int, typename Json::parse_event_t event, Json& parsed) {
    using Event = typename Json::parse_event_t;
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end) names.pop_back();
    if (event == Event::key) {
      const auto& name = parsed.template get_ref<const std::string&>();
      if (!names.back().insert(name).second) {
        throw std::invalid_argument(where + ": the name '" + name +
                                    "' appears twice in one JSON object; keep one of them");
      }
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), refuse_duplicates);
  } catch (const typename Json::exception& error) {
    throw std::invalid_argument(where + ": is not valid JSON (" + error.what() + ")");
  }
}

}  // namespace fastformer::base

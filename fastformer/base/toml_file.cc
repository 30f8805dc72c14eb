#include "fastformer/base/toml_file.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"

namespace fastformer::base {

namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr int kMostDots = 64;  // in a row of keys; toml++ frees what they nest by recursion

// The first line with a key of too many parts, from 1; 0: none.
std::int64_t line_of_deep_key(std::string_view text) {
  std::int64_t line = 1;
  int dots = 0;
  for (const char c : text) {
    if (c == '\n') ++line;
    if (c == '\n' || c == '=' || c == ',') dots = 0;
    if (c == '.' && ++dots > kMostDots) return line;
  }
  return 0;
}

}  // namespace

toml::table parse_toml(const std::string& text, const std::string& where) {
  if (text.size() > kMostBytes) {
    throw std::invalid_argument(where +
                                ": is larger than 1 MB, the limit for a recipe; check the path");
  }
  const auto fail = [&](std::int64_t line, const std::string& what) {
    throw std::invalid_argument(where + ":" + std::to_string(line) +
                                ": is not valid TOML: " + what);
  };
  if (const auto line = line_of_deep_key(text); line > 0) {
    fail(line, "a key has more than " + std::to_string(kMostDots) + " parts");
  }
  try {
    return toml::parse(text, where);
  } catch (const toml::parse_error& error) {
    const std::string what = excerpt(error.description(), 200);
    const bool escape =
        (what.find("escape") != std::string::npos && what.find("unescaped") == std::string::npos) ||
        what.find("unicode scalar") != std::string::npos;
    fail(error.source().begin.line,
         what + (escape ? "; a backslash between double quotes begins an escape: write the path "
                          "with / or in '...'"
                        : ""));
  }
  return {};
}

toml::table parse_toml_file(const std::filesystem::path& path) {
  return parse_toml(read_file(path, kMostBytes + 1), path.string());
}

std::vector<TomlItem> items_in_file_order(const toml::table& table, const std::string& file) {
  std::vector<std::pair<toml::source_position, TomlItem>> placed;
  for (const auto& [key, node] : table) {
    const auto position = key.source().begin;
    placed.emplace_back(position, TomlItem{std::string(key.str()),
                                           file + ":" + std::to_string(position.line), &node});
  }
  std::stable_sort(placed.begin(), placed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<TomlItem> items;
  items.reserve(placed.size());
  for (auto& entry : placed) items.push_back(std::move(entry.second));
  return items;
}

std::optional<decltype(ConfigValue::value)> to_config_value(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* text = node.as_string()) return text->get();
  const auto* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  std::vector<std::string> list;
  for (const auto& element : *array) {
    const auto* text = element.as_string();
    if (text == nullptr) return std::nullopt;
    list.push_back(text->get());
  }
  return list;
}

void throw_wrong_kind(const std::string& where, const std::string& key) {
  throw std::invalid_argument(where + ": " + excerpt(key) +
                              " must be true or false, a number, a string or a list of strings");
}

ConfigValue config_value_of(const TomlItem& item, const std::string& name) {
  auto value = to_config_value(*item.node);
  if (!value) throw_wrong_kind(item.where, name);
  return {std::move(*value), item.where};
}

}  // namespace fastformer::base

#include "fastformer/base/toml_file.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "fastformer/base/atomic_file.h"

namespace fastformer::base {

toml::table parse_toml_file(const std::filesystem::path& path) {
  const std::string file = path.string();
  try {
    return toml::parse(read_file(path), file);
  } catch (const toml::parse_error& error) {
    throw std::invalid_argument(file + ":" + std::to_string(error.source().begin.line) +
                                ": is not valid TOML: " + std::string(error.description()));
  }
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
  throw std::invalid_argument(where + ": " + key +
                              " must be a bool, a number, a text or a list of texts");
}

ConfigValue config_value_of(const TomlItem& item, const std::string& name) {
  auto value = to_config_value(*item.node);
  if (!value) throw_wrong_kind(item.where, name);
  return {std::move(*value), item.where};
}

}  // namespace fastformer::base

#include "fastformer/base/config_tree.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <type_traits>

#include "fastformer/base/strict_json.h"
#include "fastformer/base/suggest.h"
#include "fastformer/base/toml_file.h"

namespace fastformer::base {
namespace {

using Json = nlohmann::ordered_json;
using Value = decltype(ConfigValue::value);

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw std::invalid_argument(where + ": " + what);
}

std::optional<Value> to_value(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_unsigned() &&
      json.get<std::uint64_t>() >
          static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_array()) return std::nullopt;
  std::vector<std::string> list;
  for (const auto& element : json) {
    if (!element.is_string()) return std::nullopt;
    list.push_back(element.get<std::string>());
  }
  return list;
}

Value parse_assigned(const std::string& text) {
  toml::table table;
  try {
    table = toml::parse("value = " + text);
  } catch (const toml::parse_error&) {
    return text;
  }
  // More than one key means that the text holds line breaks: it is no single TOML value.
  if (table.size() != 1) return text;
  const toml::node& node = *table.get("value");
  if (auto value = to_config_value(node)) return *value;
  if (node.is_array()) fail("--set", "'" + text + "' must be a list of texts, each in quotes");
  return text;
}

// Shortest text that reads back as the same double, and as a double rather than an integer.
std::string number_text(double number) {
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, number);
  std::string text(buffer, result.ptr);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

// A JSON string is a TOML basic string, save for DEL, which TOML wants escaped.
std::string quoted(const std::string& text) {
  std::string result;
  for (const char c : Json(text).dump()) {
    if (c == '\x7f') {
      result += "\\u007f";
    } else {
      result += c;
    }
  }
  return result;
}

std::string toml_key(const std::string& key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  return bare ? key : quoted(key);
}

std::string toml_value(const Value& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, bool>) {
          return held ? "true" : "false";
        } else if constexpr (std::is_same_v<Held, std::int64_t>) {
          return std::to_string(held);
        } else if constexpr (std::is_same_v<Held, double>) {
          return number_text(held);
        } else if constexpr (std::is_same_v<Held, std::string>) {
          return quoted(held);
        } else {
          std::string list = "[";
          for (const auto& text : held) list += (list.size() > 1 ? ", " : "") + quoted(text);
          return list + "]";
        }
      },
      value);
}

}  // namespace

ConfigTree ConfigTree::from_toml(const std::filesystem::path& path) {
  const std::string file = path.string();
  const toml::table table = parse_toml_file(path);
  ConfigTree tree;
  for (const TomlItem& section : items_in_file_order(table, file)) {
    const auto* content = section.node->as_table();
    if (content == nullptr) {
      fail(section.where, "'" + section.key +
                              "' stands outside a section; put it below a [section] line, and "
                              "write every section once");
    }
    tree.add_section(section.key, section.where);
    for (const TomlItem& item : items_in_file_order(*content, file)) {
      tree.set(section.key, item.key, config_value_of(item, section.key + "." + item.key));
    }
  }
  return tree;
}

ConfigTree ConfigTree::from_json(std::string_view json, const std::string& where) {
  const auto root = parse_strict_json<Json>(json, where);
  if (!root.is_object()) fail(where, "must be a JSON object of sections");
  ConfigTree tree;
  for (const auto& [section, content] : root.items()) {
    if (!content.is_object()) {
      fail(where, "'" + section + "' must be a section, that is a JSON object");
    }
    tree.add_section(section, where);
    for (const auto& [key, json_value] : content.items()) {
      auto value = to_value(json_value);
      if (!value) throw_nested_value(where, section + "." + key);
      tree.set(section, key, {std::move(*value), where});
    }
  }
  return tree;
}

void ConfigTree::add_section(const std::string& section, const std::string& where) {
  if (sections_.try_emplace(section).second) {
    order_.push_back(section);
    section_where_[section] = where;
  }
}

void ConfigTree::set(std::string_view assignment) {
  const auto equals = assignment.find('=');
  const auto dot = assignment.substr(0, equals).find('.');
  if (equals == std::string_view::npos || dot == std::string_view::npos || dot == 0 ||
      dot + 1 == equals) {
    fail("--set", "'" + std::string(assignment) + "' must have the form section.key=value");
  }
  set(std::string(assignment.substr(0, dot)),
      std::string(assignment.substr(dot + 1, equals - dot - 1)),
      {parse_assigned(std::string(assignment.substr(equals + 1))), "--set"});
}

void ConfigTree::set(const std::string& section, const std::string& key, ConfigValue value) {
  try {
    toml_value(value.value);
    quoted(section + key);
  } catch (const Json::exception&) {
    fail(value.where, "a name or text of section '" + section + "' is not UTF-8; convert it");
  }
  add_section(section, value.where);
  if (sections_[section].insert_or_assign(key, std::move(value)).second) {
    key_order_[section].push_back(key);
  }
}

bool ConfigTree::contains(const std::string& section, const std::string& key) const {
  const auto found = sections_.find(section);
  return found != sections_.end() && found->second.contains(key);
}

void ConfigTree::check_sections(const std::vector<std::string>& known) const {
  for (const auto& section : order_) {
    if (std::find(known.begin(), known.end(), section) == known.end()) {
      fail(section_where_.at(section),
           "unknown section [" + section + "]" + suggestion(section, known));
    }
  }
}

std::string ConfigTree::to_toml() const {
  std::string text;
  for (const auto& section : order_) {
    text += (text.empty() ? "[" : "\n[") + toml_key(section) + "]\n";
    const auto keys = key_order_.find(section);
    if (keys == key_order_.end()) continue;
    for (const auto& key : keys->second) {
      text += toml_key(key) + " = " + toml_value(sections_.at(section).at(key).value) + "\n";
    }
  }
  return text;
}

std::string ConfigTree::to_json(int indent) const {
  Json root = Json::object();
  for (const auto& section : order_) {
    root[section] = Json::object();
    const auto keys = key_order_.find(section);
    if (keys == key_order_.end()) continue;
    for (const auto& key : keys->second) {
      const ConfigValue& value = sections_.at(section).at(key);
      const auto* number = std::get_if<double>(&value.value);
      if (number != nullptr && !std::isfinite(*number)) {
        fail(value.where, section + "." + key + " is " + number_text(*number) +
                              ", which JSON cannot hold; use a finite number");
      }
      std::visit([&](const auto& held) { root[section][key] = held; }, value.value);
    }
  }
  return root.dump(indent);
}

}  // namespace fastformer::base

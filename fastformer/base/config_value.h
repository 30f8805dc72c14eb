#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::base {

/// A value of a recipe or of config.json, and where it was set.
struct ConfigValue {
  std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>> value;
  std::string where;  ///< "recipe.toml:12", "--set", "config.json"
  bool path = false;  ///< names files or folders
};

/// The value of a field; for an enum, its word.
ConfigValue value_of(FieldRef field, const std::string& where);

/// Assigns `value` to the field `key`. Throws std::invalid_argument for a wrong type, a number out
/// of range, or an unknown word, naming the place, the expected and the actual value.
void assign(const std::string& key, const ConfigValue& value, const Constraint& constraint,
            FieldRef field);

/// The value as it is written in a TOML file.
std::string toml_text(const ConfigValue& value);
/// The name of a table or field, its parts separated by dots, as it is written in a TOML file.
std::string toml_path(std::string_view path);
/// A quoted text, valid in TOML and JSON. Throws std::invalid_argument unless `text` is UTF-8.
std::string quoted(const std::string& text);

}  // namespace fastformer::base

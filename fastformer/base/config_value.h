#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::base {

/// A value of a recipe or config.json, with the place it came from.
struct ConfigValue {
  std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>> value;
  std::string where;  ///< "recipe.toml:12", "--set", "config.json"
  bool path = false;  ///< names files or folders
};

/// The value of a field; an enum is its word.
ConfigValue value_of(FieldRef field, const std::string& where);

/// Gives the field `key` the value. Throws std::invalid_argument naming the place, what was
/// expected and what is there, for another type, a number out of range and an unknown word.
void assign(const std::string& key, const ConfigValue& value, const Constraint& constraint,
            FieldRef field);

/// The value as it is written in a TOML file.
std::string toml_text(const ConfigValue& value);
/// A text in quotes, as TOML and JSON read it. Throws std::invalid_argument unless it is UTF-8.
std::string quoted(const std::string& text);

}  // namespace fastformer::base

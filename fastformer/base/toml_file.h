#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fastformer/base/config_value.h"

namespace fastformer::base {

/// A key of a TOML table and its position in the file.
struct TomlItem {
  std::string key;
  std::string where;  ///< "recipe.toml:12"
  const toml::node* node;
};

/// Throws std::invalid_argument with `where` and the line if the text is not TOML, has more than 1
/// MB, or contains a key of more than 64 parts.
toml::table parse_toml(const std::string& text, const std::string& where);
/// The same for a file.
toml::table parse_toml_file(const std::filesystem::path& path);

/// The keys in the order of the file; toml++ itself sorts them by name.
std::vector<TomlItem> items_in_file_order(const toml::table& table, const std::string& file);

/// The value as a configuration stores it; nullopt for a node that is neither a list of texts nor a
/// scalar of a supported type.
std::optional<decltype(ConfigValue::value)> to_config_value(const toml::node& node);

/// Throws std::invalid_argument for a value of a type that no field has.
[[noreturn]] void throw_wrong_kind(const std::string& where, const std::string& key);

/// The value of the item `name`. Throws std::invalid_argument with its position for a table and for
/// a list of anything other than texts.
ConfigValue config_value_of(const TomlItem& item, const std::string& name);

}  // namespace fastformer::base

#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fastformer/base/config_value.h"

namespace fastformer::base {

/// A key of a TOML table, with the place where it stands.
struct TomlItem {
  std::string key;
  std::string where;  ///< "recipe.toml:12"
  const toml::node* node;
};

/// Throws std::invalid_argument with `where` and the line for a text that is no TOML, has more than
/// 1 MB, or keys of more than 64 parts.
toml::table parse_toml(const std::string& text, const std::string& where);
/// The same for a file.
toml::table parse_toml_file(const std::filesystem::path& path);

/// The keys in the order in which people wrote them; toml++ sorts them by name.
std::vector<TomlItem> items_in_file_order(const toml::table& table, const std::string& file);

/// The value as a configuration holds it; nothing when the node is no list of texts and no scalar
/// that it can hold.
std::optional<decltype(ConfigValue::value)> to_config_value(const toml::node& node);

/// Throws std::invalid_argument for a value that no field can hold.
[[noreturn]] void throw_wrong_kind(const std::string& where, const std::string& key);

/// The value of the item `name`. Throws std::invalid_argument with its place for a table and a list
/// of anything but texts.
ConfigValue config_value_of(const TomlItem& item, const std::string& name);

}  // namespace fastformer::base

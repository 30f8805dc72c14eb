#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::base {

/// A value of a recipe or config.json, with the place it came from.
struct ConfigValue {
  std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>> value;
  std::string where;  ///< "recipe.toml:12", "--set", "config.json"
};

/// Sections of named values, read from TOML or JSON; overridable one by one.
///
///   auto tree = ConfigTree::from_toml("recipes/ag_news.toml");
///   tree.set("train.epochs=3");
///   TrainConfig train;
///   tree.read_section("train", train);    // fills fields, checks type, range and choice
///   tree.check_sections({"train", ...});  // an unknown section is an error too
class ConfigTree {
 public:
  using Section = std::map<std::string, ConfigValue>;

  /// Throws std::invalid_argument with file and line for bad syntax or nested structure.
  static ConfigTree from_toml(const std::filesystem::path& path);
  /// A JSON object of objects. `where` names it in messages.
  static ConfigTree from_json(std::string_view json, const std::string& where);

  /// "section.key=value"; the value is TOML, or plain text where that is no TOML value.
  void set(std::string_view assignment);
  void set(const std::string& section, const std::string& key, ConfigValue value);

  bool contains(const std::string& section) const { return sections_.contains(section); }
  bool contains(const std::string& section, const std::string& key) const;

  /// Throws std::invalid_argument naming place, key, expectation and nearest valid key.
  void check_sections(const std::vector<std::string>& known) const;

  /// Fills `config` from the section (absent keys keep their values), then calls validate().
  /// Throws std::invalid_argument for an unknown key, a wrong type, a value out of range.
  template <class Config>
  void read_section(const std::string& name, Config& config) const;

  /// A section whose fields start from a preset that one of them names: what the section says, over
  /// `preset(config)`, which is given the section's own values. Throws as read_section() does.
  template <class Config, class Preset>
  Config read_preset_section(const std::string& name, const Preset& preset) const {
    // The section is read twice: for the name of the preset, then over its values.
    Config named;
    read_section(name, named);
    Config config = preset(named);
    read_section(name, config);
    return config;
  }

  /// Puts every field of `config` into the section, so that the tree is fully resolved.
  template <class Config>
  void write_section(const std::string& name, const Config& config);

  std::string to_toml() const;
  std::string to_json(int indent = 2) const;

 private:
  void add_section(const std::string& section, const std::string& where);

  std::vector<std::string> order_;  ///< sections in the order they appeared
  std::map<std::string, std::string> section_where_;
  std::map<std::string, Section> sections_;
  std::map<std::string, std::vector<std::string>> key_order_;
};

/// The conversions behind read_section; each throws std::invalid_argument with a sentence.
void assign_field(const std::string& key, const ConfigValue& value, const Constraint& constraint,
                  bool& field);
void assign_field(const std::string& key, const ConfigValue& value, const Constraint& constraint,
                  std::int64_t& field);
void assign_field(const std::string& key, const ConfigValue& value, const Constraint& constraint,
                  double& field);
void assign_field(const std::string& key, const ConfigValue& value, const Constraint& constraint,
                  std::string& field);
void assign_field(const std::string& key, const ConfigValue& value, const Constraint& constraint,
                  std::vector<std::string>& field);
[[noreturn]] void throw_unknown_key(const std::string& section, const std::string& key,
                                    const ConfigValue& value,
                                    const std::vector<std::string>& known);
[[noreturn]] void throw_nested_value(const std::string& where, const std::string& key);

/// Names of the fields of a configuration, in order.
template <class Config>
std::vector<std::string> field_names() {
  std::vector<std::string> names;
  // On the heap: GCC 12 takes strings of a local aggregate for uninitialised.
  const auto config = std::make_unique<Config>();
  Config::visit_fields(*config, [&](const char* name, const auto&, const char*, auto&&...) {
    names.emplace_back(name);
  });
  return names;
}

template <class Config>
void ConfigTree::read_section(const std::string& name, Config& config) const {
  const auto section = sections_.find(name);
  if (section != sections_.end()) {
    const auto known = field_names<Config>();
    for (const auto& [key, value] : section->second) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        throw_unknown_key(name, key, value, known);
      }
    }
    Config::visit_fields(
        config, [&](const char* key, auto& field, const char*, const Constraint& constraint = {}) {
          const auto found = section->second.find(key);
          if (found != section->second.end()) {
            assign_field(name + "." + key, found->second, constraint, field);
          }
        });
  }
  config.validate();
}

template <class Config>
void ConfigTree::write_section(const std::string& name, const Config& config) {
  Config::visit_fields(config, [&](const char* key, const auto& field, const char*, auto&&...) {
    set(name, key, ConfigValue{field, "resolved"});
  });
}

}  // namespace fastformer::base

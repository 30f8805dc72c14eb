#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/base/config_value.h"

namespace fastformer::base {

/// Sections of named values, read from TOML or JSON; single values can be overridden. A section can
/// contain tables: [model.mixer] inside [model].
///
///   auto tree = ConfigTree::from_toml("recipes/ag_news.toml");
///   tree.set("train.epochs=3");
///   tree.set("model.mixer.window=256");
///   TrainConfig train;
///   tree.read_section("train", train);    // fills fields, checks type, range and word
///   tree.check_sections({"train", ...});  // an unknown section is an error too
///
/// A string in place of a table sets the first field of the table: mixer = "softmax" means
/// mixer = { name = "softmax" }.
class ConfigTree {
 public:
  /// Reads a TOML file, then applies `assignments` as set() does. Throws std::invalid_argument with
  /// file and line for a syntax error or for a value of a type that no field has.
  static ConfigTree from_toml(const std::filesystem::path& path,
                              const std::vector<std::string>& assignments = {});
  /// The assignments alone; their sections must be among `sections`.
  static ConfigTree from_assignments(const std::vector<std::string>& assignments,
                                     const std::vector<std::string>& sections);
  /// Reads a JSON object of objects. `where` names the source in messages.
  static ConfigTree from_json(std::string_view json, const std::string& where);

  /// Applies an assignment "section.key=value". The value is parsed as TOML, or taken as plain text
  /// if it is not valid TOML. A text assigned to a table replaces the whole table.
  void set(std::string_view assignment);
  void set(const std::string& section, const std::string& key, ConfigValue value);

  bool contains(const std::string& section) const { return sections_.contains(section); }
  bool contains(const std::string& section, const std::string& key) const;
  /// Null for a key that is not there.
  const ConfigValue* find(const std::string& section, const std::string& key) const;
  /// The paths of the sections and tables, in the order in which they appeared.
  const std::vector<std::string>& sections() const { return order_; }

  /// Throws std::invalid_argument for a section not in `known`; suggests the nearest.
  void check_sections(const std::vector<std::string>& known) const;

  /// Fills `config` from the section, where absent keys keep their values, and calls validate().
  /// Throws std::invalid_argument for an unknown key, a wrong type, or a value out of range.
  template <class Config>
  void read_section(const std::string& name, Config& config) const {
    visit_section(name, [&](FieldVisitor& visitor) { config.visit_fields(visitor); });
    config.validate();
  }

  /// Reads a section with a field that selects a preset: `preset(config)` receives the section's
  /// values and returns the defaults, which the section overrides. Throws as read_section() does.
  template <class Config, class Preset>
  Config read_preset_section(const std::string& name, const Preset& preset) const {
    // The section is read twice: for the name of the preset, then over its values.
    Config named;
    read_section(name, named);
    Config config = preset(named);
    read_section(name, config);
    return config;
  }

  /// Writes every field of `config` to the section, including those with default values.
  template <class Config>
  void write_section(const std::string& name, Config config) {
    fill_section(name, [&](FieldVisitor& visitor) { config.visit_fields(visitor); });
  }

  /// The tree for a model directory: of the paths in the written sections only the last part, since
  /// folders reveal the machine and its users, and mean nothing elsewhere.
  ConfigTree without_folders() const;

  /// Appends the sections of another tree.
  void append(const ConfigTree& other);

  std::string to_toml() const;
  std::string to_json(int indent = 2) const;

 private:
  struct Section {
    std::string where;
    std::vector<std::string> order;  ///< keys in the order in which they appeared
    std::map<std::string, ConfigValue> values;
  };
  class Reader;
  class Writer;
  using Visit = std::function<void(FieldVisitor&)>;

  void visit_section(const std::string& name, const Visit& visit) const;
  void fill_section(const std::string& name, const Visit& visit);
  Section& add_section(const std::string& path, const std::string& where);
  void erase_table(const std::string& path);

  std::vector<std::string> order_;  ///< paths of sections and tables
  std::map<std::string, Section> sections_;
};

/// Names of the fields of a configuration, in order, without those of its tables.
template <class Config>
std::vector<std::string> field_names() {
  struct Names final : FieldVisitor {
    std::vector<std::string> names;
    int depth = 0;
    void visit(const std::string& name, FieldRef, const char*, const Constraint&) override {
      if (depth == 0) names.push_back(name);
    }
    void begin_table(const std::string&, const char*) override { ++depth; }
    void end_table() override { --depth; }
  };
  Names visitor;
  Config config;
  config.visit_fields(visitor);
  return visitor.names;
}

}  // namespace fastformer::base

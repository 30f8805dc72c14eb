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

/// Sections of named values, read from TOML or JSON; overridable one by one. A section can hold
/// tables, [model.mixer] inside [model].
///
///   auto tree = ConfigTree::from_toml("recipes/ag_news.toml");
///   tree.set("train.epochs=3");
///   tree.set("model.mixer.window=256");
///   TrainConfig train;
///   tree.read_section("train", train);    // fills fields, checks type, range and word
///   tree.check_sections({"train", ...});  // an unknown section is an error too
///
/// A table can be written as a text, which is the value of its first field: mixer = "softmax" for
/// mixer = { name = "softmax" }.
class ConfigTree {
 public:
  /// A TOML file, then `assignments` as set() takes them. Throws std::invalid_argument with file
  /// and line for bad syntax or a value of another kind.
  static ConfigTree from_toml(const std::filesystem::path& path,
                              const std::vector<std::string>& assignments = {});
  /// The assignments alone, which may name these sections.
  static ConfigTree from_assignments(const std::vector<std::string>& assignments,
                                     const std::vector<std::string>& sections);
  /// A JSON object of objects. `where` names it in messages.
  static ConfigTree from_json(std::string_view json, const std::string& where);

  /// "section.key=value"; the value is TOML, or plain text where that is no TOML value. A text for
  /// a table replaces the whole table.
  void set(std::string_view assignment);
  void set(const std::string& section, const std::string& key, ConfigValue value);

  bool contains(const std::string& section) const { return sections_.contains(section); }
  bool contains(const std::string& section, const std::string& key) const;
  /// The paths of the sections and tables, in their order.
  const std::vector<std::string>& sections() const { return order_; }

  /// Throws std::invalid_argument naming place, key, expectation and nearest valid key.
  void check_sections(const std::vector<std::string>& known) const;

  /// Fills `config` from the section (absent keys keep their values), then calls validate().
  /// Throws std::invalid_argument for an unknown key, a wrong type, a value out of range.
  template <class Config>
  void read_section(const std::string& name, Config& config) const {
    visit_section(name, [&](FieldVisitor& visitor) { config.visit_fields(visitor); });
    config.validate();
  }

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
  void write_section(const std::string& name, Config config) {
    fill_section(name, [&](FieldVisitor& visitor) { config.visit_fields(visitor); });
  }

  /// Adds the sections of another tree.
  void append(const ConfigTree& other);

  std::string to_toml() const;
  std::string to_json(int indent = 2) const;

 private:
  struct Section {
    std::string where;
    std::vector<std::string> order;  ///< of the keys, as they appeared
    std::map<std::string, ConfigValue> values;
  };
  class Reader;
  class Writer;
  using Visit = std::function<void(FieldVisitor&)>;

  void visit_section(const std::string& name, const Visit& visit) const;
  void fill_section(const std::string& name, const Visit& visit);
  Section& add_section(const std::string& path, const std::string& where);
  void erase_table(const std::string& path);

  std::vector<std::string> order_;  ///< of the sections and tables, by their paths
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

#include "fastformer/base/config_tree.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>
#include <variant>

#include "fastformer/base/printable.h"
#include "fastformer/base/strict_json.h"
#include "fastformer/base/toml_file.h"

namespace fastformer::base {
namespace {

using Json = nlohmann::ordered_json;
using Value = decltype(ConfigValue::value);

constexpr int kDeepest = 4;  // tables inside tables

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw std::invalid_argument(where + ": " + what);
}

[[noreturn]] void fail_nesting(const std::string& where, const std::string& path) {
  fail(where, excerpt(path) + " contains tables that are nested too deeply; at most " +
                  std::to_string(kDeepest) + " levels are allowed");
}

// A dot parts the names of tables, so that a name with one could be that of another table.
void check_name(const std::string& where, const std::string& name) {
  if (name.find('.') == std::string::npos) return;
  fail(where, "the name '" + excerpt(name) + "' holds a dot; sections and fields have none");
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
  // No TOML value begins outside of ASCII, and toml++ does not expect one that does.
  if (!text.empty() && static_cast<unsigned char>(text[0]) >= 0x80) return text;
  toml::table table;
  try {
    table = parse_toml("value = " + text, "--set");
  } catch (const std::invalid_argument&) {
    return text;
  }
  // More than one key means that the text holds line breaks: it is no single TOML value.
  if (table.size() != 1) return text;
  const toml::node& node = *table.get("value");
  if (auto value = to_config_value(node)) return *value;
  if (node.is_array())
    fail("--set", "'" + excerpt(text) + "' must be a list of strings, each in quotes");
  return text;
}

// "train" of "/data/mind/train/".
std::string last_part(const std::string& text) {
  const auto path = std::filesystem::path(text).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

// Whether the table `path` is `section` or inside it.
bool is_within(const std::string& path, const std::string& section) {
  return path.starts_with(section) &&
         (path.size() == section.size() || path[section.size()] == '.');
}

template <class Use>
void for_each_toml_table(const toml::table& table, const std::string& path,
                         const std::string& where, const std::string& file, int depth,
                         const Use& use) {
  if (depth > kDeepest) fail_nesting(where, path);
  std::vector<TomlItem> values, tables;
  for (auto& item : items_in_file_order(table, file)) {
    check_name(item.where, item.key);
    (item.node->is_table() ? tables : values).push_back(std::move(item));
  }
  use(path, where, values);
  for (const auto& item : tables) {
    for_each_toml_table(*item.node->as_table(), path + "." + item.key, item.where, file, depth + 1,
                        use);
  }
}

template <class Use>
void for_each_json_value(const Json& object, const std::string& path, const std::string& where,
                         int depth, const Use& use) {
  if (depth > kDeepest) fail_nesting(where, path);
  use(path, nullptr, nullptr);
  for (const auto& [key, value] : object.items()) {
    check_name(where, key);
    if (value.is_object()) {
      for_each_json_value(value, path + "." + key, where, depth + 1, use);
    } else {
      use(path, &key, &value);
    }
  }
}

}  // namespace

// Fills the fields of a configuration from a section, and notes which keys it knows.
class ConfigTree::Reader final : public FieldVisitor {
 public:
  Reader(const ConfigTree& tree, const std::string& section) : tree_(tree), path_(section) {
    known_[path_];
  }

  void visit(const std::string& name, FieldRef field, const char*,
             const Constraint& constraint) override {
    known_[path_].push_back(name);
    const auto key = path_ + "." + name;
    if (const auto shorthand = std::exchange(shorthand_, nullptr)) {
      assign(path_, *shorthand, constraint, field);
    }
    if (const auto* value = find(path_, name)) assign(key, *value, constraint, field);
  }

  void begin_table(const std::string& name, const char*) override {
    const auto* value = find(path_, name);
    if (value != nullptr && !std::holds_alternative<std::string>(value->value)) {
      fail(value->where,
           path_ + "." + name + " must be a table, or a string with the name of its kind");
    }
    shorthand_ = value;
    known_[path_].push_back(name);
    path_ += "." + name;
    known_[path_];
  }

  void end_table() override { path_.resize(path_.rfind('.')); }

  /// What the section holds and the configuration did not ask for is an error.
  void check_known() const {
    for (const auto& [path, section] : tree_.sections_) {
      if (!is_within(path, path_)) continue;
      const auto keys = known_.find(path);
      if (keys == known_.end()) {
        const auto dot = path.rfind('.');
        const auto parent = known_.find(path.substr(0, dot));
        if (parent == known_.end()) continue;  // it is reported itself
        fail(section.where, "unknown table '" + excerpt(path.substr(dot + 1)) + "' in section [" +
                                parent->first + "]" +
                                suggestion(path.substr(dot + 1), parent->second));
      }
      for (const auto& key : section.order) {
        if (std::find(keys->second.begin(), keys->second.end(), key) != keys->second.end()) {
          continue;
        }
        fail(section.values.at(key).where, "unknown key '" + excerpt(key) + "' in section [" +
                                               excerpt(path) + "]" + suggestion(key, keys->second));
      }
    }
  }

 private:
  const ConfigValue* find(const std::string& path, const std::string& key) const {
    const auto section = tree_.sections_.find(path);
    if (section == tree_.sections_.end()) return nullptr;
    const auto value = section->second.values.find(key);
    return value == section->second.values.end() ? nullptr : &value->second;
  }

  const ConfigTree& tree_;
  std::string path_;
  const ConfigValue* shorthand_ = nullptr;  ///< the text that stands for the table, till its field
  std::map<std::string, std::vector<std::string>> known_;  ///< keys by path
};

class ConfigTree::Writer final : public FieldVisitor {
 public:
  Writer(ConfigTree& tree, const std::string& section) : tree_(tree), path_(section) {
    tree_.add_section(path_, "resolved");
  }

  void visit(const std::string& name, FieldRef field, const char*,
             const Constraint& constraint) override {
    auto value = value_of(field, "resolved");
    value.path = constraint.path;
    tree_.set(path_, name, std::move(value));
  }

  void begin_table(const std::string& name, const char*) override {
    path_ += "." + name;
    tree_.add_section(path_, "resolved");
  }

  void end_table() override { path_.resize(path_.rfind('.')); }

 private:
  ConfigTree& tree_;
  std::string path_;
};

ConfigTree ConfigTree::from_toml(const std::filesystem::path& path,
                                 const std::vector<std::string>& assignments) {
  const std::string file = path.string();
  const toml::table root = parse_toml_file(path);
  ConfigTree tree;
  for (const TomlItem& section : items_in_file_order(root, file)) {
    check_name(section.where, section.key);
    const auto* content = section.node->as_table();
    if (content == nullptr) {
      fail(section.where, "'" + excerpt(section.key) +
                              "' is outside of any section; put it below a [section] line, and "
                              "write each section only once");
    }
    for_each_toml_table(*content, section.key, section.where, file, 1,
                        [&](const std::string& name, const std::string& where,
                            const std::vector<TomlItem>& values) {
                          tree.add_section(name, where);
                          for (const auto& item : values) {
                            tree.set(name, item.key, config_value_of(item, name + "." + item.key));
                          }
                        });
  }
  for (const auto& assignment : assignments) tree.set(assignment);
  return tree;
}

ConfigTree ConfigTree::from_assignments(const std::vector<std::string>& assignments,
                                        const std::vector<std::string>& sections) {
  ConfigTree tree;
  for (const auto& assignment : assignments) tree.set(assignment);
  tree.check_sections(sections);
  return tree;
}

ConfigTree ConfigTree::from_json(std::string_view json, const std::string& where) {
  const auto root = parse_strict_json<Json>(json, where);
  if (!root.is_object()) fail(where, "must be a JSON object of sections");
  ConfigTree tree;
  for (const auto& [section, content] : root.items()) {
    check_name(where, section);
    if (!content.is_object()) {
      fail(where, "'" + excerpt(section) + "' must be a JSON object");
    }
    for_each_json_value(content, section, where, 1,
                        [&](const std::string& path, const std::string* key, const Json* value) {
                          tree.add_section(path, where);
                          if (key == nullptr) return;
                          auto held = to_value(*value);
                          if (!held) throw_wrong_kind(where, path + "." + *key);
                          tree.set(path, *key, {std::move(*held), where});
                        });
  }
  return tree;
}

ConfigTree::Section& ConfigTree::add_section(const std::string& path, const std::string& where) {
  const auto [entry, added] = sections_.try_emplace(path);
  if (added) {
    order_.push_back(path);
    entry->second.where = where;
  }
  return entry->second;
}

void ConfigTree::erase_table(const std::string& path) {
  std::erase_if(order_, [&](const auto& name) { return is_within(name, path); });
  std::erase_if(sections_, [&](const auto& entry) { return is_within(entry.first, path); });
}

void ConfigTree::set(std::string_view assignment) {
  const auto equals = assignment.find('=');
  const auto dot = assignment.substr(0, equals).rfind('.');
  if (equals == std::string_view::npos || dot == std::string_view::npos || dot == 0 ||
      dot + 1 == equals) {
    fail("--set", "'" + excerpt(assignment) + "' must have the form section.key=value");
  }
  set(std::string(assignment.substr(0, dot)),
      std::string(assignment.substr(dot + 1, equals - dot - 1)),
      {parse_assigned(std::string(assignment.substr(equals + 1))), "--set"});
}

void ConfigTree::set(const std::string& section, const std::string& key, ConfigValue value) {
  try {
    toml_text(value);
    quoted(section + key);
  } catch (const std::invalid_argument&) {
    fail(value.where,
         "a key or string in section '" + excerpt(section) + "' is not UTF-8; convert it to UTF-8");
  }
  const auto table = section + "." + key;
  if (sections_.contains(table)) erase_table(table);
  auto& target = add_section(section, value.where);
  if (target.values.insert_or_assign(key, std::move(value)).second) target.order.push_back(key);
}

bool ConfigTree::contains(const std::string& section, const std::string& key) const {
  return contains(section) && sections_.at(section).values.contains(key);
}

const ConfigValue* ConfigTree::find(const std::string& section, const std::string& key) const {
  return contains(section, key) ? &sections_.at(section).values.at(key) : nullptr;
}

void ConfigTree::check_sections(const std::vector<std::string>& known) const {
  for (const auto& path : order_) {
    const auto section = path.substr(0, path.find('.'));
    if (std::find(known.begin(), known.end(), section) == known.end()) {
      fail(sections_.at(path).where,
           "unknown section [" + excerpt(section) + "]" + suggestion(section, known));
    }
  }
}

void ConfigTree::visit_section(const std::string& name, const Visit& visit) const {
  Reader reader(*this, name);
  visit(reader);
  reader.check_known();
}

void ConfigTree::fill_section(const std::string& name, const Visit& visit) {
  Writer writer(*this, name);
  visit(writer);
}

ConfigTree ConfigTree::without_folders() const {
  ConfigTree tree = *this;
  for (auto& [path, section] : tree.sections_) {
    for (auto& [key, value] : section.values) {
      if (!value.path) continue;
      if (auto* text = std::get_if<std::string>(&value.value)) *text = last_part(*text);
      if (auto* list = std::get_if<std::vector<std::string>>(&value.value)) {
        std::transform(list->begin(), list->end(), list->begin(), last_part);
      }
    }
  }
  return tree;
}

void ConfigTree::append(const ConfigTree& other) {
  for (const auto& path : other.order_) {
    const auto& section = other.sections_.at(path);
    add_section(path, section.where);
    for (const auto& key : section.order) set(path, key, section.values.at(key));
  }
}

std::string ConfigTree::to_toml() const {
  std::string text;
  for (const auto& path : order_) {
    const auto& section = sections_.at(path);
    text += (text.empty() ? "[" : "\n[") + toml_path(path) + "]\n";
    for (const auto& key : section.order) {
      text += toml_path(key) + " = " + toml_text(section.values.at(key)) + "\n";
    }
  }
  return text;
}

std::string ConfigTree::to_json(int indent) const {
  Json root = Json::object();
  for (const auto& path : order_) {
    Json* object = &root;
    for (std::size_t at = 0; at <= path.size();) {
      const auto end = std::min(path.find('.', at), path.size());
      object = &(*object)[path.substr(at, end - at)];
      if (object->is_null()) *object = Json::object();
      at = end + 1;
    }
    const auto& section = sections_.at(path);
    for (const auto& key : section.order) {
      const ConfigValue& value = section.values.at(key);
      const auto* number = std::get_if<double>(&value.value);
      if (number != nullptr && !std::isfinite(*number)) {
        fail(value.where, path + "." + key + " is " + toml_text(value) +
                              ", which JSON cannot represent; use a finite number");
      }
      std::visit([&](const auto& held) { (*object)[key] = held; }, value.value);
    }
  }
  return root.dump(indent);
}

}  // namespace fastformer::base

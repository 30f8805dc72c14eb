#include <CLI/CLI.hpp>
#include <cmath>
#include <iostream>
#include <sstream>
#include <type_traits>
#include <variant>
#include <vector>

#include "fastformer/cli/commands.h"
#include "fastformer/tasks/task_table.h"

namespace fastformer::cli {
namespace {

std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(const std::string& value) { return "\"" + value + "\""; }
std::string text_of(const std::vector<std::string>& values) {
  std::string text;
  for (const auto& value : values) text += (text.empty() ? "" : ", ") + text_of(value);
  return "[" + text + "]";
}
template <class Number>
std::string text_of(Number value) {
  std::ostringstream out;
  out.precision(15);
  out << value;
  return out.str();
}

std::string allowed(base::FieldRef field, const base::Constraint& constraint) {
  std::string text;
  const auto add = [&](const std::string& word) { text += (text.empty() ? "" : ", ") + word; };
  if (const auto* words = std::get_if<base::EnumField>(&field)) {
    for (const auto* word : words->words) add(word);
  }
  for (const auto& choice : constraint.choices) add(choice);
  if (!text.empty()) return text;
  if (std::isfinite(constraint.minimum) && std::isfinite(constraint.maximum)) {
    return text_of(constraint.minimum) + " to " + text_of(constraint.maximum);
  }
  return std::isfinite(constraint.minimum) ? "from " + text_of(constraint.minimum) : "";
}

std::string text_of(base::FieldRef field) {
  return std::visit(
      [](auto ref) {
        if constexpr (std::is_same_v<decltype(ref), base::EnumField>) {
          return text_of(std::string(ref.words[*ref.value]));
        } else {
          return text_of(*ref);
        }
      },
      field);
}

// Makes a table of Markdown for a section and for each table in it, which come after it.
class FieldTables final : public base::FieldVisitor {
 public:
  explicit FieldTables(const std::string& section) { begin(section, ""); }

  void visit(const std::string& name, base::FieldRef field, const char* help,
             const base::Constraint& constraint) override {
    tables_[open_.back()].rows += "| `" + name + "` | `" + text_of(field) + "` | " +
                                  allowed(field, constraint) + " | " + help + " |\n";
  }
  void begin_table(const std::string& name, const char* help) override {
    begin(tables_[open_.back()].path + "." + name, help);
  }
  void end_table() override { open_.pop_back(); }

  void print() const {
    for (const auto& table : tables_) {
      std::cout << "\n### [" << table.path << "]\n\n"
                << (table.help.empty() ? "" : table.help + "\n\n")
                << "| field | default | allowed | meaning |\n|---|---|---|---|\n"
                << table.rows;
    }
  }

 private:
  struct Table {
    std::string path, help, rows;
  };

  void begin(const std::string& path, const std::string& help) {
    open_.push_back(tables_.size());
    tables_.push_back({path, help, ""});
  }

  std::vector<Table> tables_;
  std::vector<std::size_t> open_;  // from the section to the table whose fields are visited
};

}  // namespace

void add_fields_command(CLI::App& app) {
  auto* command = app.add_subcommand("fields", "Print all fields of a recipe, as Markdown");
  command->callback([] {
    std::cout << "# The fields of a recipe\n\nWritten by `fastformer fields`. A recipe is a TOML "
                 "file; `--set section.field=value` overrides it.\n";
    for (const auto& name : tasks::task_names()) {
      std::cout << "\n## [task] name = \"" << name << "\"\n";
      for (const auto& section : tasks::task_named(name).sections()) {
        FieldTables tables(section.name);
        section.visit(tables);
        tables.print();
      }
    }
  });
}

}  // namespace fastformer::cli

#include <algorithm>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fastformer/cli/commands.h"
#include "fastformer/tasks/task_table.h"

namespace fastformer::cli {
namespace {

std::string words_of(const CLI::App& app) {
  std::string words;
  for (const auto* command : app.get_subcommands({})) words += command->get_name() + " ";
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) words += "--" + name + " ";
  }
  return words;
}

// The fields of all recipes as --set takes them, such as "train.epochs=".
class FieldNames final : public base::FieldVisitor {
 public:
  FieldNames() {
    for (const auto& task : tasks::task_names()) {
      for (const auto& section : tasks::task_named(task).sections()) {
        path_ = {section.name};
        section.visit(*this);
      }
    }
  }
  void visit(const std::string& name, base::FieldRef, const char*,
             const base::Constraint&) override {
    std::string field;
    for (const auto& part : path_) field += part + ".";
    names_.insert(field + name + "=");
  }
  void begin_table(const std::string& name, const char*) override { path_.push_back(name); }
  void end_table() override { path_.pop_back(); }

  std::string joined() const {
    std::string text;
    for (const auto& name : names_) text += name + " ";
    return text;
  }

 private:
  std::vector<std::string> path_;
  std::set<std::string> names_;
};

// The values of an option that has a list of them, separated by blanks: CLI11 names them in the
// option's type, "TEXT:{fp32,bf16,auto}".
std::string values_of(const CLI::Option& option) {
  const auto type = option.get_type_name();
  const auto begin = type.find('{'), end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos) return "";
  auto values = type.substr(begin + 1, end - begin - 1);
  std::replace(values.begin(), values.end(), ',', ' ');
  return values;
}

constexpr const char* kSet = "set";

// The words that may follow each command and each option that has a list of values; everything else
// completes as a file name.
void print_bash(const CLI::App& app) {
  std::cout << "_fastformer() {\n  local words\n"
            << "  case \"${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD-1]}\" in\n"
            << "    *\" --" << kSet << "\") words=\"" << FieldNames().joined()
            << "\"; compopt -o nospace 2>/dev/null ;;\n";
  for (const auto* command : app.get_subcommands({})) {
    for (const auto* option : command->get_options()) {
      const auto values = values_of(*option);
      for (const auto& name : option->get_lnames()) {
        if (values.empty()) continue;
        std::cout << "    \"" << command->get_name() << " --" << name << "\") words=\"" << values
                  << "\" ;;\n";
      }
    }
  }
  for (const auto* command : app.get_subcommands({})) {
    std::cout << "    \"" << command->get_name() << " \"*) words=\"" << words_of(*command)
              << "\" ;;\n";
  }
  std::cout << "    *) words=\"" << words_of(app) << "\" ;;\n  esac\n"
            << "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
            << "complete -o default -F _fastformer fastformer\n";
}

// zsh runs bash completions itself.
void print_zsh(const CLI::App& app) {
  std::cout << "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n";
  print_bash(app);
}

std::string fish_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

void print_fish(const CLI::App& app) {
  const auto fields = FieldNames().joined();
  for (const auto* command : app.get_subcommands({})) {
    std::cout << "complete -c fastformer -n __fish_use_subcommand -a " << command->get_name()
              << " -d " << fish_quoted(command->get_description()) << '\n';
    for (const auto* option : command->get_options()) {
      for (const auto& name : option->get_lnames()) {
        const auto values = name == kSet ? fields : values_of(*option);
        std::cout << "complete -c fastformer -n '__fish_seen_subcommand_from "
                  << command->get_name() << "' -l " << name
                  << (values.empty() ? "" : " -x -a " + fish_quoted(values)) << " -d "
                  << fish_quoted(option->get_description()) << '\n';
      }
    }
  }
}

}  // namespace

void add_completions_command(CLI::App& app) {
  const auto shell = std::make_shared<std::string>("bash");
  auto* command = app.add_subcommand(
      "completions", "Print shell completions; example: source <(fastformer completions bash)");
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, shell] {
    if (*shell == "fish") {
      print_fish(app);
    } else if (*shell == "zsh") {
      print_zsh(app);
    } else {
      print_bash(app);
    }
  });
}

}  // namespace fastformer::cli

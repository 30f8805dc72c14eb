#include <iostream>
#include <memory>
#include <string>

#include "fastformer/cli/commands.h"

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

// The words that may follow each command; everything else completes as a file name.
void print_bash(const CLI::App& app) {
  std::cout << "_fastformer() {\n  local words\n  case \"${COMP_WORDS[1]}\" in\n";
  for (const auto* command : app.get_subcommands({})) {
    std::cout << "    " << command->get_name() << ") words=\"" << words_of(*command) << "\" ;;\n";
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
  for (const auto* command : app.get_subcommands({})) {
    std::cout << "complete -c fastformer -n __fish_use_subcommand -a " << command->get_name()
              << " -d " << fish_quoted(command->get_description()) << '\n';
    for (const auto* option : command->get_options()) {
      for (const auto& name : option->get_lnames()) {
        std::cout << "complete -c fastformer -n '__fish_seen_subcommand_from "
                  << command->get_name() << "' -l " << name << " -d "
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

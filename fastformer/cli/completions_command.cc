#include <iostream>
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

}  // namespace

void add_completions_command(CLI::App& app) {
  auto* command =
      app.add_subcommand("completions", "Print bash completions: source <(fastformer completions)");
  command->callback([&app] { print_bash(app); });
}

}  // namespace fastformer::cli

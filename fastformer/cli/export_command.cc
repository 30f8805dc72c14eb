#include <CLI/CLI.hpp>
#include <memory>
#include <stdexcept>

#include "fastformer/cli/commands.h"
#include "fastformer/tasks/task_table.h"

namespace fastformer::cli {
namespace {

struct ExportFlags {
  std::filesystem::path recipe, folder;
  std::vector<std::string> set;
};

}  // namespace

void add_export_command(CLI::App& app) {
  const auto flags = std::make_shared<ExportFlags>();
  auto* command = app.add_subcommand("export",
                                     "Write the training, validation and test parts of a "
                                     "classifier's recipe as files with label<TAB>text lines");
  command->add_option("recipe", flags->recipe, "Recipe (.toml); see recipes/")->required();
  command->add_option("folder", flags->folder, "Folder to write")->required();
  command->add_option("--set", flags->set, "Override a field: section.key=value")
      ->type_name("KEY=VALUE");
  command->callback([flags] {
    const auto recipe = tasks::load_recipe(flags->recipe, flags->set);
    const auto& task = tasks::task_named(recipe->task());
    if (!task.export_parts) {
      throw std::invalid_argument(
          flags->recipe.string() + ": is a recipe for " + task.name +
          ", whose data has no labels; expected a recipe for classification");
    }
    task.export_parts(*recipe, flags->folder);
  });
}

}  // namespace fastformer::cli

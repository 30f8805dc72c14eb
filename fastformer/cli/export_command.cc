#include <memory>
#include <stdexcept>

#include "fastformer/cli/commands.h"
#include "fastformer/data/export_splits.h"
#include "fastformer/train/recipe.h"

namespace fastformer::cli {
namespace {

struct ExportFlags {
  std::filesystem::path recipe, folder;
  std::vector<std::string> set;
};

}  // namespace

void add_export_command(CLI::App& app) {
  const auto flags = std::make_shared<ExportFlags>();
  auto* command = app.add_subcommand(
      "export", "Write a classifier's train, validation and test parts as label<TAB>text files");
  command->add_option("recipe", flags->recipe, "A TOML file; see recipes/")->required();
  command->add_option("folder", flags->folder, "Where to write")->required();
  command->add_option("--set", flags->set, "Override a field: section.key=value")
      ->type_name("KEY=VALUE");
  command->callback([flags] {
    const auto recipe = train::Recipe::load(flags->recipe, flags->set);
    if (recipe.task.name != "classification") {
      throw std::invalid_argument(flags->recipe.string() + ": is a recipe for " + recipe.task.name +
                                  ", but only those of classification have labels to write");
    }
    data::export_splits(recipe.data, flags->folder);
  });
}

}  // namespace fastformer::cli

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "fastformer/cli/commands.h"
#include "fastformer/serve/command_line.h"
#include "fastformer/tasks/task_table.h"

namespace fastformer::cli {
namespace {

serve::Model load(const std::filesystem::path& directory, const serve::ServedItems& items) {
  // Each worker computes on its own thread.
  return tasks::task_of_model(directory).serve({.model = directory,
                                                .items = items.file,
                                                .approximate = items.approximate,
                                                .options = {.threads = 1}});
}

}  // namespace

void add_serve_command(CLI::App& app) {
  const auto flags = std::make_shared<serve::ServeFlags>();
  auto* command =
      app.add_subcommand("serve", "Serve models over HTTP, with a page that explains predictions");
  serve::add_serve_options(*command, *flags, /*with_items=*/true);
  command->callback([flags] { serve::serve(*flags, load); });
}

}  // namespace fastformer::cli

#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fastformer/serve/model_table.h"
#include "fastformer/serve/options.h"

namespace fastformer::serve {

/// The items of a recommender.
struct ServedItems {
  std::filesystem::path file;  ///< empty for other models
  bool approximate = false;    ///< whether users are compared with the items near them only
};

/// Loads a model directory.
using DirectoryLoader =
    std::function<Model(const std::filesystem::path& directory, const ServedItems& items)>;

/// The arguments of a program that serves models.
struct ServeFlags {
  std::vector<std::string> models;  ///< DIRECTORY or NAME=DIRECTORY
  std::vector<std::string> items;   ///< FILE or NAME=FILE
  bool approximate = false;         ///< see ServedItems; for all models
  ServerOptions server;
};

/// Adds the arguments to a command. `flags` must outlive parsing.
void add_serve_options(CLI::App& command, ServeFlags& flags, bool with_items);

/// Loads the models, prints the address and serves until a signal ends it. Throws
/// std::invalid_argument with one sentence for wrong arguments.
void serve(const ServeFlags& flags, const DirectoryLoader& load);

}  // namespace fastformer::serve

#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "fastformer/kernels/options.h"

namespace fastformer::cli {

/// Adds --precision and --threads to a command that uses a model. `options` must outlive parsing.
void add_compute_options(CLI::App& command, Options& options);

/// Throws std::invalid_argument that names the right command unless `command` is one for the kind
/// of model that the directory holds.
void check_model_for(const std::string& command, const std::filesystem::path& model);

}  // namespace fastformer::cli

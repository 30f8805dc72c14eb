#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "fastformer/base/config_field.h"
#include "fastformer/kernels/options.h"

namespace fastformer::cli {

/// Adds --precision and --threads to a command that uses a model. `options` must outlive parsing.
void add_compute_options(CLI::App& command, Options& options);

/// Adds an option whose values are the words of an enum. `value` must outlive parsing.
template <class Enum>
CLI::Option* add_word_option(CLI::App& command, const std::string& name, Enum& value,
                             const std::string& description) {
  return command
      .add_option_function<std::string>(
          name,
          [&value, name](const std::string& word) { value = base::parse_word<Enum>(word, name); },
          description)
      ->check(CLI::IsMember(base::words<Enum>()))
      ->default_str(base::word_of(value));
}

/// Throws std::invalid_argument that names the right command unless `command` is one for the kind
/// of model that the directory holds.
void check_model_for(const std::string& command, const std::filesystem::path& model);

}  // namespace fastformer::cli

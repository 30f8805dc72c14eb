#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"

namespace fastformer::base {

/// The file of a model directory that contains the parameters.
inline constexpr const char* kWeightsFile = "model.safetensors";

/// Writes a model directory under a temporary name and moves it to `directory`, so that a reader
/// sees either the old model or the new one:
///   config.json          a section [format] with `kind` and the version, then those of `config`,
///                        whose paths lose their folders
///   README.md            the model card, Markdown
///   model.safetensors, tokenizer.json ...   what `write_rest` writes to the temporary folder
/// Other files of the former model are kept in the new one. Throws std::invalid_argument
/// if `directory` exists and is not a model, std::runtime_error if a file cannot be
/// written.
void write_model_directory(const std::filesystem::path& directory, const std::string& kind,
                           const ConfigTree& config, const std::string& card,
                           const std::function<void(const std::filesystem::path&)>& write_rest);

/// The kind of model that a directory contains, such as "classifier". Throws std::invalid_argument
/// if the directory is missing, contains no model, or has another format version.
std::string kind_of_model(const std::filesystem::path& directory);

/// Calls `read` with the config.json of a model of that kind. Exceptions thrown by `read` are
/// extended with the name of the file. `sections` lists all sections that the file may have. Throws
/// as kind_of_model() does, and std::invalid_argument for a model of another kind.
void read_model_config(const std::filesystem::path& directory, const std::string& kind,
                       std::vector<std::string> sections,
                       const std::function<void(const ConfigTree&)>& read);

}  // namespace fastformer::base

#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"

namespace fastformer::base {

/// The file of a model directory that holds its parameters by name.
inline constexpr const char* kWeightsFile = "model.safetensors";

/// Writes a model directory beside its place and moves it there, so that a reader sees the old
/// model or the new one:
///   config.json          a section [format] with `kind` and the version, then those of `config`,
///                        whose paths lose their folders
///   README.md            the model card, Markdown
///   model.safetensors, tokenizer.json ...   what `write_rest` puts into the fresh folder
/// Files of other names that lay in the former model stay in the new one. Throws
/// std::invalid_argument where something other than a model is in the way, std::runtime_error when
/// the disk refuses.
void write_model_directory(const std::filesystem::path& directory, const std::string& kind,
                           const ConfigTree& config, const std::string& card,
                           const std::function<void(const std::filesystem::path&)>& write_rest);

/// What kind of model a directory holds, such as "classifier". Throws std::invalid_argument with
/// one sentence for a directory that is missing, holds no model, or one of another format version.
std::string kind_of_model(const std::filesystem::path& directory);

/// Calls `read` with the config.json of a directory whose model is of that kind, and names the file
/// in what `read` throws. `sections` are all that it can have. Throws as kind_of_model() does, and
/// for a model of another kind.
void read_model_config(const std::filesystem::path& directory, const std::string& kind,
                       std::vector<std::string> sections,
                       const std::function<void(const ConfigTree&)>& read);

}  // namespace fastformer::base

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "fastformer/base/config_tree.h"
#include "fastformer/nn/parameter_store.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::tasks {

/// The section of config.json that says, by its name, what kind of model a directory holds. A
/// classifier has more in it.
struct ModelFormat {
  std::int64_t format_version = kVersion;

  static constexpr std::int64_t kVersion = 1;

  void visit_fields(base::FieldVisitor& visit) {
    visit("format_version", format_version, "of the model directory");
  }
  /// Throws std::invalid_argument for another version.
  void validate() const;
};

/// Writes a model directory beside its place and moves it there, so that a reader sees the old
/// model or the new one:
///   config.json          `config`; its section `kind` of a model says which task it is for
///   model.safetensors    the parameters by name
///   tokenizer.json ...   see text::Tokenizer::save
///   README.md            the model card, Markdown
/// Throws std::runtime_error when the disk refuses.
void write_model_files(const std::filesystem::path& directory, const base::ConfigTree& config,
                       const nn::ParameterMap& parameters, const text::Tokenizer& tokenizer,
                       const std::string& card);

/// "classifier", "recommender" or "summarizer": whose model a directory holds. Throws
/// std::invalid_argument with one sentence for a directory that is missing or holds none of them.
std::string kind_of_model(const std::filesystem::path& directory);

/// Calls `read` with the config.json of a directory whose model is of that kind, and names the file
/// in what `read` throws. Throws as kind_of_model() does, and for a model of another kind.
void read_model_files(const std::filesystem::path& directory, const std::string& kind,
                      const std::function<void(const base::ConfigTree&)>& read);

/// Gives the parameters the values of the directory's model.safetensors. Throws
/// std::invalid_argument for a file that is missing, damaged or of another model.
void load_weights(const std::filesystem::path& directory, const nn::ParameterMap& parameters);

}  // namespace fastformer::tasks

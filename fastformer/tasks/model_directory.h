#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/data/data_config.h"
#include "fastformer/tasks/model_config.h"
#include "fastformer/tasks/model_files.h"
#include "fastformer/tasks/text_classifier.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::tasks {

/// The [classifier] section of a model's config.json.
struct ClassifierFormat {
  ModelFormat format;
  std::string task = "text_classification";
  std::vector<std::string> labels;
  std::int64_t max_tokens = 0;  ///< documents are cut to this; 0: no limit

  void visit_fields(base::FieldVisitor& visit) {
    format.visit_fields(visit);
    visit("task", task, "what the model does", base::one_of({"text_classification"}));
    visit("labels", labels, "the classes, in the order of the logits");
    visit("max_tokens", max_tokens, "longer documents lose their tail; 0: no limit",
          base::at_least(0));
  }
  /// Throws std::invalid_argument for another version or fewer than two labels.
  void validate() const;
};

/// All that a model directory holds:
///   config.json          the sections classifier, model, data (how its training files were read)
///   model.safetensors    the parameters by name
///   tokenizer.json ...   see text::Tokenizer::save
///   README.md            the model card
struct ModelDirectory {
  ClassifierFormat format;
  ModelConfig model_config;
  data::DataConfig data_config;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<TextClassifier> model;
};

/// Writes the directory beside its place and moves it there: a reader sees the old model or the new
/// one. `card` is Markdown. Throws std::runtime_error when the disk refuses.
void save_model(const std::filesystem::path& directory, const ClassifierFormat& format,
                const data::DataConfig& data_config, const text::Tokenizer& tokenizer,
                const TextClassifier& model, const std::string& card);

/// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
/// damaged or of another version.
ModelDirectory load_model(const std::filesystem::path& directory);

}  // namespace fastformer::tasks

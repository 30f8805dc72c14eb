#include "fastformer/tasks/model_directory.h"

#include <stdexcept>

namespace fastformer::tasks {

namespace fs = std::filesystem;

void ClassifierFormat::validate() const {
  format.validate();
  if (labels.size() < 2) {
    throw std::invalid_argument("classifier.labels has " + std::to_string(labels.size()) +
                                " labels; a classifier needs two or more");
  }
}

void save_model(const fs::path& directory, const ClassifierFormat& format,
                const data::DataConfig& data_config, const text::Tokenizer& tokenizer,
                const TextClassifier& model, const std::string& card) {
  base::ConfigTree tree;
  tree.write_section("classifier", format);
  tree.write_section("model", model.config());
  tree.write_section("data", data_config);
  write_model_files(directory, tree, model.parameters(), tokenizer, card);
}

ModelDirectory load_model(const fs::path& directory) {
  ModelDirectory result;
  read_model_files(directory, "classifier", [&](const base::ConfigTree& tree) {
    tree.read_section("classifier", result.format);
    tree.check_sections({"classifier", "model", "data"});
    result.model_config = read_model_config(tree);
    tree.read_section("data", result.data_config);
  });
  result.tokenizer = text::load_tokenizer(directory);
  result.model = std::make_unique<TextClassifier>(
      result.model_config, result.tokenizer->vocabulary_size(),
      static_cast<std::int64_t>(result.format.labels.size()), /*seed=*/0);
  load_weights(directory, result.model->parameters());
  return result;
}

}  // namespace fastformer::tasks

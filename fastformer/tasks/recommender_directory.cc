#include "fastformer/tasks/recommender_directory.h"

#include <stdexcept>

#include "fastformer/tasks/model_files.h"
#include "fastformer/tasks/pretrained_shape.h"

namespace fastformer::tasks {

void RecommenderFormat::validate() const {
  if (format_version == kFormatVersion) return;
  throw std::invalid_argument("the model is of format version " + std::to_string(format_version) +
                              ", this program reads version " + std::to_string(kFormatVersion) +
                              "; use the program that wrote it, or train again");
}

void save_recommender(const std::filesystem::path& directory,
                      const data::ClickDataConfig& data_config, const text::Tokenizer& tokenizer,
                      const Recommender& model, const std::string& card) {
  base::ConfigTree tree;
  tree.write_section("recommender", RecommenderFormat{});
  tree.write_section("model", model.config());
  tree.write_section("data", data_config);
  if (model.config().has_pretrained()) {
    tree.write_section("pretrained", PretrainedShape(model.config().bert));
  }
  write_model_files(directory, tree, model.parameters(), tokenizer, card);
}

RecommenderDirectory load_recommender(const std::filesystem::path& directory) {
  RecommenderDirectory result;
  RecommenderConfig config;
  read_model_files(directory, "recommender", [&](const base::ConfigTree& tree) {
    RecommenderFormat format;
    tree.read_section("recommender", format);
    tree.check_sections({"recommender", "model", "data", "pretrained"});
    config = read_recommender_config(tree);
    tree.read_section("data", result.data_config);
  });
  result.tokenizer = text::load_tokenizer(directory);
  result.model = std::make_unique<Recommender>(config, result.tokenizer->vocabulary_size(),
                                               /*seed=*/0);
  load_weights(directory, result.model->parameters());
  return result;
}

}  // namespace fastformer::tasks

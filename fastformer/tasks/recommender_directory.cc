#include "fastformer/tasks/recommender_directory.h"

#include "fastformer/tasks/model_files.h"
#include "fastformer/tasks/pretrained_shape.h"

namespace fastformer::tasks {

void save_recommender(const std::filesystem::path& directory,
                      const data::ClickDataConfig& data_config, const text::Tokenizer& tokenizer,
                      const Recommender& model, const std::string& card) {
  base::ConfigTree tree;
  tree.write_section("recommender", ModelFormat{});
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
    ModelFormat format;
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

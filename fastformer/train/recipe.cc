#include "fastformer/train/recipe.h"

namespace fastformer::train {

Recipe Recipe::load(const std::filesystem::path& path,
                    const std::vector<std::string>& assignments) {
  auto tree = base::ConfigTree::from_toml(path);
  for (const auto& assignment : assignments) tree.set(assignment);
  return from_tree(tree);
}

Recipe Recipe::from_tree(const base::ConfigTree& tree) {
  tree.check_sections({"data", "text", "model", "train"});
  Recipe recipe;
  tree.read_section("data", recipe.data);
  tree.read_section("text", recipe.text);
  recipe.model = tasks::read_model_config(tree);
  tree.read_section("train", recipe.train);
  // Documents are cut where the positions end, and counted as cut.
  recipe.data.max_tokens = recipe.model.document_limit(recipe.data.max_tokens);
  return recipe;
}

base::ConfigTree Recipe::tree() const {
  base::ConfigTree tree;
  tree.write_section("data", data);
  tree.write_section("text", text);
  tree.write_section("model", model);
  tree.write_section("train", train);
  return tree;
}

}  // namespace fastformer::train

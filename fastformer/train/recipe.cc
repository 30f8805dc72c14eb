#include "fastformer/train/recipe.h"

#include <sstream>

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

std::optional<RecipeDifference> first_difference(const std::string& now,
                                                 const std::string& before) {
  std::istringstream now_lines(now), before_lines(before);
  while (true) {
    RecipeDifference lines;
    const bool more_now = static_cast<bool>(std::getline(now_lines, lines.now));
    const bool more_before = static_cast<bool>(std::getline(before_lines, lines.before));
    if (!more_now && !more_before) return std::nullopt;
    if (more_now != more_before || lines.now != lines.before) return lines;
  }
}

}  // namespace fastformer::train

#include "fastformer/base/config_tree.h"
#include "fastformer/classification/data_config.h"
#include "target.h"

namespace fastformer::fuzz {

using base::ConfigTree;

void run(std::string_view bytes) {
  const auto tree = ConfigTree::from_toml(write("recipe.toml", bytes));
  const auto text = tree.to_toml();
  check_utf8(text, "a recipe is UTF-8");
  check(ConfigTree::from_toml(write("again.toml", text)).to_toml() == text,
        "a recipe survives writing and reading");
  refuses([&] { tree.check_sections({"data", "text", "model", "train"}); });
  refuses([&] {
    classification::DataConfig config;
    tree.read_section("data", config);
  });
  refuses([&] {
    text::TokenizerConfig config;
    tree.read_section("text", config);
  });
}

}  // namespace fastformer::fuzz

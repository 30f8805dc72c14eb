#include "fastformer/model/bert_config.h"

#include "fastformer/base/config_tree.h"
#include "target.h"

namespace fastformer::fuzz {

void run(std::string_view bytes) {
  const auto config = model::BertConfig::from_json(bytes, "config.json");
  check(config.heads > 0 && config.width % config.heads == 0, "the heads divide the width");
  base::ConfigTree tree;
  tree.write_section("pretrained", config);
  model::BertConfig again;
  base::ConfigTree::from_json(tree.to_json(), "saved.json").read_section("pretrained", again);
  base::ConfigTree twice;
  twice.write_section("pretrained", again);
  check(twice.to_json() == tree.to_json(), "a configuration survives writing and reading");
}

}  // namespace fastformer::fuzz

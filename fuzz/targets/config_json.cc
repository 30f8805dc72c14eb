#include "fastformer/base/config_tree.h"
#include "target.h"

namespace fastformer::fuzz {

using base::ConfigTree;

void run(std::string_view bytes) {
  const auto json = ConfigTree::from_json(bytes, "config.json").to_json();
  check_utf8(json, "a configuration is UTF-8");
  check(ConfigTree::from_json(json, "again.json").to_json() == json,
        "a configuration survives writing and reading");
}

}  // namespace fastformer::fuzz

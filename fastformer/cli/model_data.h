#pragma once

#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/data/data_config.h"

namespace fastformer::cli {

/// `config` with "data.key=value" assignments over it. Throws std::invalid_argument as ConfigTree
/// does.
inline data::DataConfig override_data(const data::DataConfig& config,
                                      const std::vector<std::string>& assignments) {
  base::ConfigTree tree;
  for (const auto& assignment : assignments) tree.set(assignment);
  tree.check_sections({"data"});
  auto result = config;
  tree.read_section("data", result);
  return result;
}

}  // namespace fastformer::cli

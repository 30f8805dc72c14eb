#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/data/data_config.h"
#include "fastformer/nn/precision.h"

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

/// The option --precision of commands that use a model; it takes effect when it is parsed.
inline void add_precision_option(CLI::App& command) {
  command
      .add_option_function<std::string>(
          "--precision", [](const std::string& name) { nn::set_precision(name); },
          "Of the numbers that enter products; auto: bf16 where it is faster")
      ->check(CLI::IsMember({"fp32", "bf16", "auto"}))
      ->default_str("fp32");
}

}  // namespace fastformer::cli

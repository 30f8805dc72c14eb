#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/nn/precision.h"

namespace fastformer::cli {

/// The assignments "section.key=value" of --set, which may name these sections. Throws
/// std::invalid_argument as ConfigTree does.
inline base::ConfigTree overrides(const std::vector<std::string>& assignments,
                                  const std::vector<std::string>& sections) {
  base::ConfigTree tree;
  for (const auto& assignment : assignments) tree.set(assignment);
  tree.check_sections(sections);
  return tree;
}

/// `config` with "data.key=value" assignments over it. Throws as overrides() does.
template <class Config>
Config override_data(Config config, const std::vector<std::string>& assignments) {
  overrides(assignments, {"data"}).read_section("data", config);
  return config;
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

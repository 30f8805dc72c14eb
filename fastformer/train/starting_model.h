#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "fastformer/base/config_tree.h"
#include "fastformer/nn/parameter_store.h"
#include "fastformer/text/tokenizer.h"
#include "fastformer/train/task.h"

namespace fastformer::train {

/// The sections that shape a model, to compare two models.
template <class ModelConfig>
base::ConfigTree shape_of(const ModelConfig& model, const text::TokenizerConfig& text) {
  base::ConfigTree tree;
  tree.write_section("model", model);
  tree.write_section("text", text);
  return tree;
}

/// The trained model that a training starts from (the recipe's train.from): the new model has its
/// weights, behind them rows for new words and labels.
class StartingModel {
 public:
  /// `own` and `recipe` are results of shape_of(). Throws std::invalid_argument for the first
  /// field, as "model.width", in which they differ, unless it only matters in training: dropout,
  /// initial deviations, the choice of new words, and the fields `free`.
  StartingModel(std::filesystem::path directory, const base::ConfigTree& own,
                const base::ConfigTree& recipe, const std::set<std::string>& free = {});

  const std::filesystem::path& directory() const { return directory_; }
  /// The weights, for a resumed run to compare.
  PreparedPart prepared() const { return {"the starting model", checksum_}; }

  /// Copies the weights. A parameter may have more rows than that of the model; the new rows keep
  /// their values. They stand behind the others, but for the last `last` rows, which stay the last.
  /// Returns sentences for the user. Throws std::invalid_argument naming a parameter of another
  /// shape.
  std::vector<std::string> copy_to(const nn::ParameterMap& parameters, std::int64_t last = 0) const;

 private:
  std::filesystem::path directory_;
  std::uint64_t checksum_;
};

}  // namespace fastformer::train

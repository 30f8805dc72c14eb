#pragma once

#include <filesystem>
#include <string>

#include "fastformer/classification/training.h"
#include "support/temporary_folder.h"

namespace fastformer::classification {

/// A recipe for examples in memory that trains in a moment.
inline Recipe small_recipe() {
  Recipe recipe;
  auto& encoder = recipe.model.text.encoder;
  encoder.width = encoder.ffn_width = 8;
  encoder.heads = 2;
  recipe.train.epochs = 2;
  recipe.batch.batch_size = 16;
  recipe.data.validation_fraction = 0.2;
  return recipe;
}

/// Trains the recipe on rows "label,text" into the folder `run`, and gives its model directory.
inline std::filesystem::path train_on_rows(Recipe recipe, const std::string& rows,
                                           const testing::TemporaryFolder& folder) {
  recipe.data.train = {folder.write("data.csv", rows).string()};
  recipe.data.label_column = "1";
  recipe.data.text_columns = {"2"};
  recipe.data.header = HeaderRow::kNo;
  train(recipe, folder / "run");
  return folder / "run/model";
}

}  // namespace fastformer::classification

#pragma once

#include "fastformer/classification/training.h"

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

}  // namespace fastformer::classification

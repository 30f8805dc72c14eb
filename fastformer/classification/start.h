#pragma once

#include <optional>

#include "fastformer/classification/dataset.h"
#include "fastformer/classification/training.h"
#include "fastformer/train/starting_model.h"

namespace fastformer::classification {

/// The trained classifier that a training starts from.
struct Start {
  train::StartingModel model;
  StartingPoint point;
};

/// The model that the recipe's train.from names; nullopt without it. Throws std::invalid_argument
/// for a model of another shape, or if only one of both has several labels per document.
std::optional<Start> start_of(const Recipe& recipe);

/// The part of `start` that the data take over; null if it is empty.
const StartingPoint* point_of(const std::optional<Start>& start);

}  // namespace fastformer::classification

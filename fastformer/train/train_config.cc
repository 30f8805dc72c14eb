#include "fastformer/train/train_config.h"

#include <stdexcept>

namespace fastformer::train {

void TrainConfig::validate() const {
  batch.validate();
  if (optimizer == "adam" && weight_decay != 0) {
    throw std::invalid_argument(
        "train.weight_decay belongs to train.optimizer = \"adamw\"; with adam it must be 0");
  }
}

}  // namespace fastformer::train

#include "fastformer/train/task_config.h"

namespace fastformer::train {

std::vector<std::string> TaskConfig::metrics() const { return {"accuracy", "macro_f1", "loss"}; }

}  // namespace fastformer::train

#include "fastformer/train/task_config.h"

namespace fastformer::train {

std::vector<std::string> TaskConfig::metrics() const {
  if (name == "recommendation") return {"auc", "mrr", "ndcg_5", "ndcg_10", "loss"};
  if (name == "summarization") return {"loss"};
  return {"accuracy", "macro_f1", "loss"};
}

}  // namespace fastformer::train

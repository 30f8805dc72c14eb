#include "fastformer/train/task_config.h"

#include <stdexcept>

#include "fastformer/base/format.h"

namespace fastformer::train {
namespace {

using Names = std::vector<std::string>;

struct Row {
  std::string name;
  Names metrics, test_metrics, main_metrics;
  std::string test_items;
};

const Row& row(const std::string& name) {
  static const std::vector<Row> rows = {
      {.name = "classification",
       .metrics = {"accuracy", "macro_f1", "loss"},
       .test_metrics = {"accuracy", "macro_f1", "loss"},
       .main_metrics = {"accuracy", "macro_f1"},
       .test_items = "documents"},
      {.name = "recommendation",
       .metrics = {"auc", "mrr", "ndcg_5", "ndcg_10", "loss"},
       .test_metrics = {"auc", "mrr", "ndcg_5", "ndcg_10", "loss"},
       .main_metrics = {"auc", "mrr", "ndcg_5", "ndcg_10"},
       .test_items = "impressions"},
      {.name = "summarization",
       .metrics = {"loss"},
       .test_metrics = {"rouge_1", "rouge_2", "rouge_l", "rouge_lsum", "loss"},
       .main_metrics = {"rouge_1", "rouge_2", "rouge_l"},
       .test_items = "documents"},
  };
  for (const auto& row : rows) {
    if (row.name == name) return row;
  }
  throw std::logic_error(base::format("TaskConfig: no task '%s'", name.c_str()));
}

}  // namespace

std::vector<std::string> TaskConfig::metrics() const { return row(name).metrics; }
std::vector<std::string> TaskConfig::test_metrics() const { return row(name).test_metrics; }
std::vector<std::string> TaskConfig::main_metrics() const { return row(name).main_metrics; }
std::string TaskConfig::test_items() const { return row(name).test_items; }

}  // namespace fastformer::train

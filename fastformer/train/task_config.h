#pragma once

#include <string>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::train {

/// The recipe's [task] section: it decides which fields [data] and [model] have.
struct TaskConfig {
  std::string name = "classification";

  void visit_fields(base::FieldVisitor& visit) {
    visit("name", name, "what the model learns to do",
          base::one_of({"classification", "recommendation", "summarization"}));
  }
  void validate() const {}

  /// What the task measures on the validation part; `train.metric = "auto"` stands for the first.
  std::vector<std::string> metrics() const;
  /// What it measures on the test part, the loss last.
  std::vector<std::string> test_metrics() const;
  /// Those of them that tables of results show unless they are told otherwise.
  std::vector<std::string> main_metrics() const;
  /// What the test part is made of: "documents" or "impressions".
  std::string test_items() const;
};

}  // namespace fastformer::train

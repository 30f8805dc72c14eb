#include "fastformer/tasks/evaluation.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/data/batch_loader.h"

namespace fastformer::tasks {
namespace {

void check_labels(const data::RaggedBatch& batch) {
  for (std::size_t i = 0; i < batch.labels.size(); ++i) {
    if (batch.labels[i] < 0) {
      throw std::invalid_argument("the document " + std::to_string(batch.rows[i] + 1) +
                                  " has no label; an evaluation needs one for each");
    }
  }
}

}  // namespace

Evaluation evaluate(const TextClassifier& model, const data::TokenSet& set) {
  if (set.size() == 0) throw std::invalid_argument("there is no document to evaluate on");
  const c10::NoGradGuard no_gradients;
  const data::BatchConfig batches{.batch_by = "tokens", .batch_tokens = 16384};
  Evaluation result{.confusion = ConfusionMatrix(model.classes()),
                    .predicted = std::vector<std::int32_t>(static_cast<std::size_t>(set.size()))};
  data::BatchLoader loader(set, data::plan_in_order(set, batches));
  while (const auto batch = loader.next()) {
    check_labels(*batch);
    const auto logits = model.forward(*batch, /*training=*/false).to(at::kDouble);
    const auto losses = -at::log_softmax(logits, 1);
    const auto best = logits.argmax(1);
    const auto* predicted = best.const_data_ptr<std::int64_t>();
    const auto* loss = losses.const_data_ptr<double>();
    for (std::int64_t i = 0; i < batch->size(); ++i) {
      const auto class_of_row = static_cast<std::int32_t>(predicted[i]);
      result.confusion.add(batch->labels[i], class_of_row);
      result.predicted[static_cast<std::size_t>(batch->rows[i])] = class_of_row;
      result.loss += loss[i * model.classes() + batch->labels[i]];
    }
  }
  result.loss /= static_cast<double>(set.size());
  return result;
}

std::string evaluation_table(const Evaluation& evaluation, const std::vector<std::string>& labels) {
  const auto& confusion = evaluation.confusion;
  const auto classes = confusion.per_class();
  std::size_t width = 5;
  for (const auto& label : labels) width = std::max(width, label.size());
  const int columns = static_cast<int>(width);
  std::string table = base::format("%-*s  precision  recall      f1  support\n", columns, "class");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& row = classes[i];
    table += base::format("%-*s     %6.4f  %6.4f  %6.4f  %7lld\n", columns, labels[i].c_str(),
                          row.precision, row.recall, row.f1, static_cast<long long>(row.support));
  }
  table += base::format("accuracy %.4f   macro-F1 %.4f   loss %.4f   examples %lld\n",
                        confusion.accuracy(), confusion.macro_f1(), evaluation.loss,
                        static_cast<long long>(confusion.total()));
  return table;
}

std::string evaluation_json(const Evaluation& evaluation, const std::vector<std::string>& labels) {
  const auto& confusion = evaluation.confusion;
  const auto classes = confusion.per_class();
  nlohmann::ordered_json json = {{"accuracy", confusion.accuracy()},
                                 {"macro_f1", confusion.macro_f1()},
                                 {"loss", evaluation.loss},
                                 {"examples", confusion.total()}};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& row = classes[i];
    json["classes"][labels[i]] = {{"precision", row.precision},
                                  {"recall", row.recall},
                                  {"f1", row.f1},
                                  {"support", row.support}};
    auto counts = nlohmann::ordered_json::array();
    for (std::size_t j = 0; j < labels.size(); ++j) {
      counts.push_back(confusion.count(static_cast<std::int32_t>(i), static_cast<std::int32_t>(j)));
    }
    json["confusion"].push_back(counts);
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace fastformer::tasks

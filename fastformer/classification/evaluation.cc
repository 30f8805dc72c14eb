#include "fastformer/classification/evaluation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/data/batch.h"
#include "fastformer/data/batch_plan.h"
#include "fastformer/data/batch_stream.h"

namespace fastformer::classification {

metrics::Scores Evaluation::scores() const {
  metrics::Scores scores = {{"loss", loss}};
  for (const auto& metric : metrics::class_metrics()) {
    scores.push_back({metric.name, metric.value(confusion)});
  }
  return scores;
}

Evaluator::Evaluator(const ClassifierModel& model)
    : model_(model),
      sums_{.confusion = metrics::ConfusionMatrix(model.classes()), .predicted = {}} {}

void Evaluator::add(const LabelledCorpus& documents) {
  const c10::NoGradGuard no_gradients;
  const auto first = sums_.predicted.size();
  sums_.predicted.resize(first + static_cast<std::size_t>(documents.size()));
  const auto plan = data::BatchPlan(documents.texts.lengths(),
                                    {.batch_by = data::BatchUnit::kTokens, .batch_tokens = 16384})
                        .in_order();
  data::BatchStream<data::TokenBatch> batches;
  batches.begin(
      [&](std::int64_t i) {
        return data::gather(documents.texts, plan[static_cast<std::size_t>(i)]);
      },
      0, std::ssize(plan));
  for (const auto& rows : plan) {
    batches.next();
    const auto logits = model_.forward(*batches, /*training=*/false).to(at::kDouble);
    const auto losses = -at::log_softmax(logits, 1);
    const auto best = logits.argmax(1);
    const auto* predicted = best.const_data_ptr<std::int64_t>();
    const auto* loss = losses.const_data_ptr<double>();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto label = documents.label(rows[i]);
      const auto class_of_row = static_cast<std::int32_t>(predicted[i]);
      sums_.confusion.add(label, class_of_row);
      sums_.predicted[first + static_cast<std::size_t>(rows[i])] = class_of_row;
      sums_.loss += loss[static_cast<std::int64_t>(i) * model_.classes() + label];
    }
  }
}

Evaluation Evaluator::result() const {
  if (sums_.predicted.empty()) {
    throw std::invalid_argument("there is no document to evaluate");
  }
  auto result = sums_;
  result.loss /= static_cast<double>(sums_.predicted.size());
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
  for (const auto& metric : metrics::class_metrics()) {
    table += base::format("%s %.4f   ", metric.title.c_str(), metric.value(confusion));
  }
  table += base::format("loss %.4f   examples %lld\n", evaluation.loss,
                        static_cast<long long>(confusion.total()));
  return table;
}

std::string evaluation_json(const Evaluation& evaluation, const std::vector<std::string>& labels) {
  const auto& confusion = evaluation.confusion;
  const auto classes = confusion.per_class();
  nlohmann::ordered_json json;
  for (const auto& metric : metrics::class_metrics()) json[metric.name] = metric.value(confusion);
  json["loss"] = evaluation.loss;
  json["examples"] = confusion.total();
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

}  // namespace fastformer::classification

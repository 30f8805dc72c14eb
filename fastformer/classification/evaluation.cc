#include "fastformer/classification/evaluation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/classification/dataset_scan.h"
#include "fastformer/data/batch.h"
#include "fastformer/data/batch_plan.h"
#include "fastformer/data/batch_stream.h"
#include "fastformer/text/display_width.h"

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
      sums_{.confusion = metrics::ConfusionMatrix(model.classes()),
            .predicted = {},
            .probability = {},
            .label_probability = {}} {}

void Evaluator::add(const LabelledCorpus& documents) {
  const c10::NoGradGuard no_gradients;
  const auto first = sums_.predicted.size();
  const auto size = first + static_cast<std::size_t>(documents.size());
  sums_.predicted.resize(size);
  sums_.probability.resize(size);
  sums_.label_probability.resize(size);
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
      const auto row = first + static_cast<std::size_t>(rows[i]);
      const auto* const losses_of_row = loss + static_cast<std::int64_t>(i) * model_.classes();
      sums_.predicted[row] = class_of_row;
      sums_.probability[row] = static_cast<float>(std::exp(-losses_of_row[class_of_row]));
      sums_.label_probability[row] = static_cast<float>(std::exp(-losses_of_row[label]));
      sums_.loss += losses_of_row[label];
    }
  }
}

Evaluation Evaluator::result() const {
  if (sums_.predicted.empty()) {
    throw std::invalid_argument("there is no document to evaluate on");
  }
  auto result = sums_;
  result.loss /= static_cast<double>(sums_.predicted.size());
  return result;
}

namespace {

constexpr std::size_t kClassesOfAMatrix = 20;

std::size_t widest(const std::vector<std::string>& labels, std::size_t least) {
  for (const auto& label : labels) least = std::max(least, text::display_width(label));
  return least;
}

std::string right_aligned(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text::display_width(text)), ' ') + text;
}

// A row for each class of the documents, a column for each that was predicted.
std::string matrix_text(const metrics::ConfusionMatrix& confusion,
                        const std::vector<std::string>& labels) {
  constexpr std::size_t kNarrowest = 7;
  const std::size_t first = widest(labels, 18);
  std::string text = text::padded("label \\ predicted", first);
  for (const auto& label : labels) {
    text += "  " + right_aligned(label, std::max(kNarrowest, text::display_width(label)));
  }
  text += '\n';
  for (std::size_t i = 0; i < labels.size(); ++i) {
    text += text::padded(labels[i], first);
    for (std::size_t j = 0; j < labels.size(); ++j) {
      const auto count =
          confusion.count(static_cast<std::int32_t>(i), static_cast<std::int32_t>(j));
      text += "  " + right_aligned(std::to_string(count),
                                   std::max(kNarrowest, text::display_width(labels[j])));
    }
    text += '\n';
  }
  return text;
}

}  // namespace

std::string never_predicted_notice(const Evaluation& evaluation,
                                   const std::vector<std::string>& labels) {
  std::vector<bool> predicted(labels.size());
  for (const auto number : evaluation.predicted) predicted[static_cast<std::size_t>(number)] = true;
  const auto classes = evaluation.confusion.per_class();
  std::vector<std::string> never;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!predicted[i] && classes[i].support > 0) never.push_back(labels[i]);
  }
  if (never.empty()) return {};
  return "never predicted: " + list_labels(never) +
         "; train longer, or set train.class_weights = \"balanced\"";
}

std::string evaluation_table(const Evaluation& evaluation, const std::vector<std::string>& labels) {
  const auto& confusion = evaluation.confusion;
  const auto classes = confusion.per_class();
  const std::size_t width = widest(labels, 5);
  std::string table = text::padded("class", width) + "  precision  recall      f1  support\n";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& row = classes[i];
    table += text::padded(labels[i], width) + base::format("     %6.4f  %6.4f  %6.4f  %7lld\n",
                                                           row.precision, row.recall, row.f1,
                                                           static_cast<long long>(row.support));
  }
  if (labels.size() <= kClassesOfAMatrix) table += "\n" + matrix_text(confusion, labels) + "\n";
  if (const auto never = never_predicted_notice(evaluation, labels); !never.empty()) {
    table += never + "\n";
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
  auto matrix = nlohmann::ordered_json::array();
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
    matrix.push_back(counts);
  }
  json["confusion"] = {
      {"rows", "label"}, {"columns", "predicted"}, {"labels", labels}, {"counts", matrix}};
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace fastformer::classification

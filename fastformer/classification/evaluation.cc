#include "fastformer/classification/evaluation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/classification/dataset_scan.h"
#include "fastformer/data/batch.h"
#include "fastformer/data/batch_plan.h"
#include "fastformer/data/batch_stream.h"
#include "fastformer/metrics/calibration.h"
#include "fastformer/text/display_width.h"

namespace fastformer::classification {

metrics::Scores Evaluation::scores() const {
  metrics::Scores scores = {{"loss", loss}};
  for (const auto& metric : metrics::class_metrics()) {
    scores.push_back({metric.name, metric.value(confusion)});
  }
  return scores;
}

namespace {

constexpr std::int64_t kBatchTokens = 16384;

// The documents in batches of similar length, which the next one is read during.
template <class Use>
void for_each_batch(const LabelledCorpus& documents, const ClassifierModel& network,
                    const linear::LinearModel* linear, const Use& use) {
  const c10::NoGradGuard no_gradients;
  const auto plan =
      data::BatchPlan(documents.texts.lengths(),
                      {.batch_by = data::BatchUnit::kTokens, .batch_tokens = kBatchTokens})
          .in_order();
  data::BatchStream<data::TokenBatch> batches;
  batches.begin(
      [&](std::int64_t i) {
        return data::gather(documents.texts, plan[static_cast<std::size_t>(i)]);
      },
      0, std::ssize(plan));
  for (const auto& rows : plan) {
    batches.next();
    use(rows, member_scores(
                  network, linear, *batches,
                  linear == nullptr ? data::TokenBatch() : data::gather(documents.ngrams, rows)));
  }
}

}  // namespace

MemberScores scores_of(const LabelledCorpus& documents, const ClassifierModel& network,
                       const linear::LinearModel* linear) {
  const auto classes = static_cast<std::size_t>(network.classes());
  MemberScores scores(linear == nullptr ? 1 : linear->members().size() + 1);
  for (auto& member : scores) member.resize(static_cast<std::size_t>(documents.size()) * classes);
  for_each_batch(documents, network, linear, [&](const auto& rows, const MemberScores& batch) {
    for (std::size_t k = 0; k < scores.size(); ++k) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::copy_n(&batch[k][i * classes], classes,
                    &scores[k][static_cast<std::size_t>(rows[i]) * classes]);
      }
    }
  });
  return scores;
}

Evaluator::Evaluator(const ClassifierModel& network, const LinearPart* linear)
    : network_(network),
      linear_(linear),
      sums_(linear == nullptr ? 1 : linear->pool.coefficients.size() + 1,
            {.confusion = metrics::ConfusionMatrix(network.classes()),
             .predicted = {},
             .probability = {},
             .label_probability = {},
             .members = {}}) {}

void Evaluator::add(const LabelledCorpus& documents) {
  const auto first = sums_.front().predicted.size();
  const auto classes = static_cast<std::size_t>(network_.classes());
  for (auto& sums : sums_) {
    const auto size = first + static_cast<std::size_t>(documents.size());
    sums.predicted.resize(size);
    sums.probability.resize(size);
    sums.label_probability.resize(size);
  }
  const auto* linear = linear_ == nullptr ? nullptr : linear_->model.get();
  for_each_batch(documents, network_, linear, [&](const auto& rows, const MemberScores& scores) {
    const auto count = [&](Evaluation& sums, const std::vector<double>& logits) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = std::span(logits).subspan(i * classes, classes);
        const auto label = documents.label(rows[i]);
        const auto best =
            static_cast<std::int32_t>(std::max_element(row.begin(), row.end()) - row.begin());
        const auto loss_of = [&](std::int32_t one) {
          return linear::cross_entropy(row, std::span(&one, 1), network_.classes());
        };
        const auto at = first + static_cast<std::size_t>(rows[i]);
        const double loss = loss_of(label);
        sums.confusion.add(label, best);
        sums.predicted[at] = best;
        sums.probability[at] = static_cast<float>(std::exp(-loss_of(best)));
        sums.label_probability[at] = static_cast<float>(std::exp(-loss));
        sums.loss += loss;
      }
    };
    if (linear_ == nullptr) return count(sums_.front(), scores.front());
    count(sums_.front(), linear_->pool.logits(scores));
    for (std::size_t k = 0; k < scores.size(); ++k) count(sums_[k + 1], scores[k]);
  });
}

namespace {

// A prediction is right if the class that was predicted and the true one have the same probability.
double calibration_error(const Evaluation& evaluation) {
  const auto count = evaluation.predicted.size();
  const std::vector<double> confidence(evaluation.probability.begin(),
                                       evaluation.probability.end());
  const auto right = std::make_unique<bool[]>(count);
  for (std::size_t i = 0; i < count; ++i) {
    right[i] = evaluation.probability[i] == evaluation.label_probability[i];
  }
  return metrics::expected_calibration_error(confidence, {right.get(), count});
}

}  // namespace

Evaluation Evaluator::result() const {
  if (sums_.front().predicted.empty()) {
    throw std::invalid_argument("there is no document to evaluate");
  }
  auto results = sums_;
  for (auto& result : results) result.loss /= static_cast<double>(result.predicted.size());
  results.front().calibration_error = calibration_error(results.front());
  auto& result = results.front();
  for (std::size_t k = 1; k < results.size(); ++k) {
    result.members.push_back(
        {k == 1 ? "network" : base::word_of(linear_->model->members()[k - 2].config.weighting),
         results[k].scores()});
  }
  return std::move(result);
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
  table += base::format("loss %.4f   calibration error %.4f   examples %lld\n", evaluation.loss,
                        evaluation.calibration_error, static_cast<long long>(confusion.total()));
  for (const auto& [name, scores] : evaluation.members) {
    table += base::format("%s alone: ", name.c_str());
    for (const auto& metric : metrics::class_metrics()) {
      table +=
          base::format("  %s %.4f", metric.title.c_str(), metrics::score_of(scores, metric.name));
    }
    table += "\n";
  }
  return table;
}

std::string evaluation_json(const Evaluation& evaluation, const std::vector<std::string>& labels) {
  const auto& confusion = evaluation.confusion;
  const auto classes = confusion.per_class();
  nlohmann::ordered_json json;
  for (const auto& metric : metrics::class_metrics()) json[metric.name] = metric.value(confusion);
  json["loss"] = evaluation.loss;
  json["calibration_error"] = evaluation.calibration_error;
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
  for (const auto& [name, scores] : evaluation.members) {
    for (const auto& [metric, value] : scores) json["members"][name][metric] = value;
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace fastformer::classification

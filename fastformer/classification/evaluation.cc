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
             .members = {}}) {}

void Evaluator::add(const LabelledCorpus& documents) {
  const auto first = sums_.front().predicted.size();
  const auto classes = static_cast<std::size_t>(network_.classes());
  for (auto& sums : sums_) {
    sums.predicted.resize(first + static_cast<std::size_t>(documents.size()));
  }
  const auto* linear = linear_ == nullptr ? nullptr : linear_->model.get();
  for_each_batch(documents, network_, linear, [&](const auto& rows, const MemberScores& scores) {
    const auto count = [&](Evaluation& sums, const std::vector<double>& logits) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = std::span(logits).subspan(i * classes, classes);
        const auto label = documents.label(rows[i]);
        const auto best =
            static_cast<std::int32_t>(std::max_element(row.begin(), row.end()) - row.begin());
        sums.confusion.add(label, best);
        sums.predicted[first + static_cast<std::size_t>(rows[i])] = best;
        sums.loss += linear::cross_entropy(row, std::span(&label, 1), network_.classes());
      }
    };
    if (linear_ == nullptr) return count(sums_.front(), scores.front());
    count(sums_.front(), linear_->pool.logits(scores));
    for (std::size_t k = 0; k < scores.size(); ++k) count(sums_[k + 1], scores[k]);
  });
}

Evaluation Evaluator::result() const {
  if (sums_.front().predicted.empty()) {
    throw std::invalid_argument("there is no document to evaluate");
  }
  auto results = sums_;
  for (auto& result : results) result.loss /= static_cast<double>(result.predicted.size());
  auto& result = results.front();
  for (std::size_t k = 1; k < results.size(); ++k) {
    result.members.push_back(
        {k == 1 ? "network" : base::word_of(linear_->model->members()[k - 2].config.weighting),
         results[k].scores()});
  }
  return std::move(result);
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
  for (const auto& [name, scores] : evaluation.members) {
    for (const auto& [metric, value] : scores) json["members"][name][metric] = value;
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace fastformer::classification

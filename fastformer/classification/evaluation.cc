#include "fastformer/classification/evaluation.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/classification/dataset_scan.h"
#include "fastformer/classification/document_scores.h"
#include "fastformer/metrics/calibration.h"
#include "fastformer/text/display_width.h"

namespace fastformer::classification {

namespace {

metrics::Scores scores_of(const metrics::ConfusionMatrix& confusion, double loss) {
  metrics::Scores scores = {{"loss", loss}};
  for (const auto& metric : metrics::class_metrics()) {
    scores.push_back({metric.name, metric.value(confusion)});
  }
  return scores;
}

}  // namespace

metrics::Scores Evaluation::scores() const { return scores_of(confusion, loss); }

Evaluator::Evaluator(const ScoredNetwork& network, const linear::LinearPart* linear)
    : network_(network),
      linear_(linear),
      sums_{.confusion = metrics::ConfusionMatrix(network.classes()),
            .predicted = {},
            .probability = {},
            .label_probability = {},
            .members = {}} {
  for (auto& name : member_names(linear)) members_.push_back({std::move(name), network.classes()});
}

void Evaluator::add(const LabelledCorpus& documents) {
  const auto first = sums_.predicted.size();
  const auto classes = static_cast<std::size_t>(network_.classes());
  const auto size = first + static_cast<std::size_t>(documents.size());
  sums_.predicted.resize(size);
  sums_.probability.resize(size);
  sums_.label_probability.resize(size);
  right_.resize(size);
  const auto* linear = linear_ == nullptr ? nullptr : linear_->model.get();
  for_each_scored_batch(
      documents, network_, linear,
      [&](std::span<const std::int64_t> rows, const linear::MemberScores& scores) {
        // Calls `use` with position, label, predicted class, probabilities and loss of each
        // document.
        const auto for_each_row = [&](std::vector<double> logits, const auto& use) {
          for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto row = std::span(logits).subspan(i * classes, classes);
            const auto label = static_cast<std::size_t>(documents.label(rows[i]));
            const auto best = std::max_element(row.begin(), row.end()) - row.begin();
            const double score = row[label];
            const double loss = linear::softmax(row) - score;
            use(first + static_cast<std::size_t>(rows[i]), static_cast<std::int32_t>(label),
                static_cast<std::int32_t>(best), row, loss);
          }
        };
        for_each_row(linear_ == nullptr ? scores.front() : linear_->pool.logits(scores),
                     [&](auto at, auto label, auto best, auto row, double loss) {
                       sums_.confusion.add(label, best);
                       sums_.loss += loss;
                       sums_.predicted[at] = best;
                       sums_.probability[at] =
                           static_cast<float>(row[static_cast<std::size_t>(best)]);
                       sums_.label_probability[at] =
                           static_cast<float>(row[static_cast<std::size_t>(label)]);
                       right_[at] = label == best;
                     });
        for (std::size_t k = 0; k < members_.size(); ++k) {
          for_each_row(scores[k], [&](auto, auto label, auto best, auto, double loss) {
            members_[k].confusion.add(label, best);
            members_[k].loss += loss;
          });
        }
      });
}

Evaluation Evaluator::result() const {
  const auto count = sums_.predicted.size();
  if (count == 0) throw std::invalid_argument("there is no document to evaluate");
  const double documents = static_cast<double>(count);
  auto result = sums_;
  result.loss /= documents;
  const std::vector<double> confidence(result.probability.begin(), result.probability.end());
  result.calibration_error = metrics::expected_calibration_error(confidence, right_);
  for (const auto& member : members_) {
    result.members.push_back({member.name, scores_of(member.confusion, member.loss / documents)});
  }
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

std::string class_table(const std::string& title, const std::vector<metrics::ClassMetrics>& classes,
                        const std::vector<std::string>& labels) {
  const std::size_t width = widest(labels, title.size());
  std::string table = text::padded(title, width) + "  precision  recall      f1  support\n";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& row = classes[i];
    table += text::padded(labels[i], width) + base::format("     %6.4f  %6.4f  %6.4f  %7lld\n",
                                                           row.precision, row.recall, row.f1,
                                                           static_cast<long long>(row.support));
  }
  return table;
}

std::string evaluation_table(const Evaluation& evaluation, const std::vector<std::string>& labels) {
  const auto& confusion = evaluation.confusion;
  std::string table = class_table("class", confusion.per_class(), labels);
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

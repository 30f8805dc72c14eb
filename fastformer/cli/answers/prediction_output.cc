#include "fastformer/cli/answers/prediction_output.h"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/base/json_text.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/data/table_text.h"

namespace fastformer::cli {

using Json = nlohmann::ordered_json;

std::string ranked(const std::string& name, std::size_t rank) {
  return rank == 0 ? name : name + "_" + std::to_string(rank + 1);
}

void write_cells(std::ostream& out, OutputFormat format, const std::vector<std::string>& cells) {
  const bool csv = format == OutputFormat::kCsv;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out << (csv ? ',' : '\t');
    out << (csv ? data::csv_cell(cells[i]) : data::tsv_cell(cells[i]));
  }
  out << '\n';
}

Json json_of(const std::vector<classification::Field>& fields) {
  auto json = Json::object();
  // An ordered object looks through all its names to find one.
  auto& members = json.get_ref<Json::object_t&>();
  std::unordered_set<std::string> names;
  for (const auto& field : fields) {
    auto value = !field.is_json        ? Json(field.value)
                 : field.value.empty() ? Json(nullptr)
                                       : Json::parse(field.value);
    auto name = field.name;
    for (int again = 2; !names.insert(name).second; ++again) {  // two columns of one name
      name = field.name + "_" + std::to_string(again);
    }
    members.emplace_back(std::move(name), std::move(value));
  }
  return json;
}

// The best classes, the first of which may be the word that abstains.
PredictionOutput::Answers PredictionOutput::answers(const Prediction& prediction) const {
  auto answers = classifier_.top(prediction, top());
  if (!answers.empty() && answers.front().second < options_.threshold.value_or(0)) {
    answers.front().first = options_.abstain;
  }
  return answers;
}

// The labels above their thresholds, or above --threshold; with --top-k so many of them, and
// without --threshold the best ones whatever their thresholds.
PredictionOutput::Answers PredictionOutput::label_set(const Prediction& prediction) const {
  const auto& all = classifier_.labels();
  if (!classifier_.several_labels()) return {};
  if (options_.top || options_.threshold) {
    auto answers = classifier_.top(prediction, options_.top.value_or(all.size()));
    std::erase_if(answers,
                  [&](const auto& one) { return one.second < options_.threshold.value_or(0); });
    return answers;
  }
  Answers answers;
  for (const auto& label : prediction.labels) {
    const auto position = std::ranges::find(all, label) - all.begin();
    answers.emplace_back(label, prediction.probabilities[static_cast<std::size_t>(position)]);
  }
  return answers;
}

void PredictionOutput::add_label_set(const Prediction& prediction,
                                     std::vector<std::string>& cells) const {
  std::vector<std::string> labels, probabilities;
  for (const auto& [label, probability] : label_set(prediction)) {
    labels.push_back(label);
    probabilities.push_back(base::format("%.4f", probability));
  }
  const auto& config = classifier_.data_config();
  cells.push_back(labels.empty() ? options_.abstain : config.joined(labels));
  cells.push_back(config.joined(probabilities));
}

void PredictionOutput::write_heading(const PredictionInput::Record& record) {
  if (options_.keep) {
    for (const auto& field : record.fields) kept_.push_back(field.name);
  }
  auto names = kept_;
  const bool several = classifier_.several_labels();
  if (several) {
    names.emplace_back(options_.keep ? "predicted" : "labels");
    names.emplace_back("probabilities");
  }
  const std::size_t count = several ? 0 : std::min(top(), classifier_.labels().size());
  for (std::size_t rank = 0; rank < count; ++rank) {
    names.push_back(ranked(options_.keep ? "predicted" : "label", rank));
    names.push_back(ranked("probability", rank));
  }
  if (!options_.keep) names.emplace_back("text");
  write_cells(out_, options_.format, names);
}

// The columns of the output are those of the first record.
std::vector<std::string> PredictionOutput::kept_cells(
    const std::vector<classification::Field>& fields) const {
  std::vector<std::string> cells(kept_.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    std::size_t column = i;
    if (i >= kept_.size() || kept_[i] != fields[i].name) {
      column = static_cast<std::size_t>(std::ranges::find(kept_, fields[i].name) - kept_.begin());
    }
    if (column == kept_.size()) {
      throw std::invalid_argument("record " + std::to_string(row_) + " has the field '" +
                                  fields[i].name +
                                  "', for which the first record has no column; use "
                                  "--output-format jsonl");
    }
    cells[column] = fields[i].value;
  }
  return cells;
}

// An answer must not have the name of a column that is kept.
void PredictionOutput::check_names(const std::vector<classification::Field>& fields) const {
  for (const auto& field : fields) {
    if (field.name != "predicted" && !field.name.starts_with("probabilit")) continue;
    throw std::invalid_argument("the input has a column '" + field.name +
                                "' already; rename it, or remove --keep");
  }
}

void PredictionOutput::write(const PredictionInput::Record& record, const Prediction& prediction,
                             const std::string& explanation) {
  ++row_;
  if (row_ == 1 && options_.keep) check_names(record.fields);
  if (options_.format == OutputFormat::kJsonl) return write_json(record, prediction, explanation);
  if (row_ == 1 && (options_.keep || options_.format == OutputFormat::kCsv)) write_heading(record);
  std::vector<std::string> cells;
  if (options_.keep) cells = kept_cells(record.fields);
  if (classifier_.several_labels()) {
    add_label_set(prediction, cells);
  } else {
    for (const auto& [label, probability] : answers(prediction)) {
      cells.push_back(label);
      cells.push_back(base::format("%.4f", probability));
    }
  }
  if (!options_.keep) cells.push_back(record.text);
  write_cells(out_, options_.format, cells);
}

void PredictionOutput::write_json(const PredictionInput::Record& record,
                                  const Prediction& prediction, const std::string& explanation) {
  Json json = options_.keep ? json_of(record.fields) : Json::object({{"row", row_}});
  const bool several = classifier_.several_labels();
  const auto best = several ? label_set(prediction) : classifier_.top(prediction, top());
  if (several) {
    auto& labels = json[options_.keep ? "predicted" : "labels"] = Json::array();
    for (const auto& [label, probability] : best) labels.push_back(label);
  } else {
    const bool abstains = best.front().second < options_.threshold.value_or(0);
    json[options_.keep ? "predicted" : "label"] =
        abstains ? Json(nullptr) : Json(best.front().first);
    json["probability"] = best.front().second;
  }
  if (several ? options_.top.has_value() : top() > 1) {
    json["top"] = Json::array();
    for (const auto& [label, probability] : best) {
      json["top"].push_back({{"label", label}, {"probability", probability}});
    }
  } else {
    const auto& labels = classifier_.labels();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      json["probabilities"][labels[i]] = prediction.probabilities[i];
    }
  }
  if (!explanation.empty()) json["explanation"] = Json::parse(explanation);
  out_ << base::json_text(json) << '\n';
}

}  // namespace fastformer::cli

#include "fastformer/cli/prediction_output.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/data/table_text.h"

namespace fastformer::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string ranked(const std::string& name, std::size_t rank) {
  return rank == 0 ? name : name + "_" + std::to_string(rank + 1);
}

}  // namespace

// The best classes, the first of which may be the word that abstains.
PredictionOutput::Answers PredictionOutput::answers(const Prediction& prediction) const {
  auto answers = classifier_.top(prediction, options_.top);
  if (!answers.empty() && answers.front().second < options_.threshold) {
    answers.front().first = options_.abstain;
  }
  return answers;
}

void PredictionOutput::write_cells(const std::vector<std::string>& cells) {
  const bool csv = options_.format == OutputFormat::kCsv;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out_ << (csv ? ',' : '\t');
    out_ << (csv ? data::csv_cell(cells[i]) : data::tsv_cell(cells[i]));
  }
  out_ << '\n';
}

void PredictionOutput::write_heading(const PredictionInput::Record& record) {
  std::vector<std::string> names;
  if (options_.keep) {
    for (const auto& field : record.fields) names.push_back(field.name);
  }
  const std::size_t count = std::min(options_.top, classifier_.labels().size());
  for (std::size_t rank = 0; rank < count; ++rank) {
    names.push_back(ranked(options_.keep ? "predicted" : "label", rank));
    names.push_back(ranked("probability", rank));
  }
  if (!options_.keep) names.emplace_back("text");
  write_cells(names);
}

void PredictionOutput::write(const PredictionInput::Record& record, const Prediction& prediction,
                             const std::string& explanation) {
  ++row_;
  if (options_.format == OutputFormat::kJsonl) return write_json(record, prediction, explanation);
  if (row_ == 1 && (options_.keep || options_.format == OutputFormat::kCsv)) write_heading(record);
  std::vector<std::string> cells;
  if (options_.keep) {
    for (const auto& field : record.fields) cells.push_back(field.value);
  }
  for (const auto& [label, probability] : answers(prediction)) {
    cells.push_back(label);
    cells.push_back(base::format("%.4f", probability));
  }
  if (!options_.keep) cells.push_back(record.text);
  write_cells(cells);
}

void PredictionOutput::write_json(const PredictionInput::Record& record,
                                  const Prediction& prediction, const std::string& explanation) {
  Json json = Json::object();
  if (options_.keep) {
    // An ordered object looks through all its names to find one.
    auto& members = json.get_ref<Json::object_t&>();
    std::unordered_map<std::string_view, std::size_t> places;
    for (const auto& field : record.fields) {
      auto value = !field.is_json        ? Json(field.value)
                   : field.value.empty() ? Json(nullptr)
                                         : Json::parse(field.value);
      const auto [place, added] = places.try_emplace(field.name, members.size());
      if (added) members.emplace_back(field.name, Json());
      std::next(members.begin(), static_cast<std::ptrdiff_t>(place->second))->second =
          std::move(value);
    }
  } else {
    json["row"] = row_;
  }
  const auto best = classifier_.top(prediction, options_.top);
  const bool abstains = best.front().second < options_.threshold;
  json[options_.keep ? "predicted" : "label"] = abstains ? Json(nullptr) : Json(best.front().first);
  json["probability"] = best.front().second;
  if (options_.top > 1) {
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
  out_ << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace fastformer::cli

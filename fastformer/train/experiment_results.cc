#include "fastformer/train/experiment_results.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "fastformer/train/classification_task.h"
#include "fastformer/train/test_predictions.h"

namespace fastformer::train {
namespace {

// The seeds, by position, with which both are finished.
std::vector<std::size_t> common_seeds(const VariantResults& a, const VariantResults& b) {
  std::vector<std::size_t> seeds;
  for (std::size_t s = 0; s < a.cells.size(); ++s) {
    if (a.cells[s].result && b.cells[s].result) seeds.push_back(s);
  }
  return seeds;
}

std::int64_t classes_of(const std::vector<std::vector<std::int32_t>>& lists) {
  std::int32_t last = 0;
  for (const auto& list : lists) {
    for (const auto number : list) last = std::max(last, number);
  }
  return last + 1;
}

}  // namespace

MeanAndDeviation mean_and_deviation(const std::vector<double>& values) {
  if (values.empty()) {
    throw std::invalid_argument("mean_and_deviation: got no value; expected at least one");
  }
  const auto count = static_cast<double>(values.size());
  MeanAndDeviation result;
  for (const double value : values) result.mean += value;
  result.mean /= count;
  if (values.size() == 1) return result;
  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.deviation = std::sqrt(squares / (count - 1));
  return result;
}

std::vector<RunResult> VariantResults::finished() const {
  std::vector<RunResult> results;
  for (const auto& cell : cells) {
    if (cell.result) results.push_back(*cell.result);
  }
  return results;
}

std::vector<double> VariantResults::scores(const std::string& metric) const {
  std::vector<double> scores;
  for (const auto& result : finished())
    scores.push_back(tasks::score_of(result.test->scores, metric));
  return scores;
}

std::optional<tasks::SystemComparison> ResultsCollector::compare(
    std::size_t data, std::size_t variant, const std::vector<std::size_t>& seeds) const {
  std::vector<std::vector<std::int32_t>> labels, first, second;
  for (const auto seed : seeds) {
    auto a = read_predictions(experiment_.cell(data, 0, seed).folder / kPredictionsFile);
    auto b = read_predictions(experiment_.cell(data, variant, seed).folder / kPredictionsFile);
    labels.push_back(std::move(a.labels));
    labels.push_back(std::move(b.labels));
    first.push_back(std::move(a.predicted));
    second.push_back(std::move(b.predicted));
  }
  // A variant that changes the data may be measured on other documents, which pair with nothing.
  const bool paired = std::all_of(labels.begin(), labels.end(),
                                  [&](const auto& list) { return list == labels.front(); });
  if (!paired) return std::nullopt;
  const auto classes = std::max({classes_of(labels), classes_of(first), classes_of(second)});
  return tasks::paired_bootstrap(labels.front(), first, second, {.classes = classes});
}

ExperimentResults ResultsCollector::collect() {
  const auto& file = experiment_.file();
  ExperimentResults results(file.data.size());
  for (std::size_t d = 0; d < file.data.size(); ++d) {
    for (std::size_t v = 0; v < file.variants.size(); ++v) {
      auto& entry = results[d].emplace_back();
      for (std::size_t s = 0; s < file.seeds.size(); ++s) {
        entry.cells.push_back(status_of(experiment_.cell(d, v, s)));
      }
      if (v == 0) continue;
      auto seeds = common_seeds(results[d].front(), entry);
      if (seeds.empty()) continue;
      Key key{&experiment_.cell(d, v, 0), seeds};
      auto known = comparisons_.find(key);
      if (known == comparisons_.end()) {
        known = comparisons_.emplace(std::move(key), compare(d, v, seeds)).first;
      }
      entry.comparison = known->second;
    }
  }
  return results;
}

}  // namespace fastformer::train

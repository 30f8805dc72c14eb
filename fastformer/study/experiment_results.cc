#include "fastformer/study/experiment_results.h"

#include <cmath>
#include <filesystem>
#include <stdexcept>

namespace fastformer::study {
namespace {

// The seeds, by position, with which both are finished.
std::vector<std::size_t> common_seeds(const VariantResults& a, const VariantResults& b) {
  std::vector<std::size_t> seeds;
  for (std::size_t s = 0; s < a.cells.size(); ++s) {
    if (a.cells[s].result && b.cells[s].result) seeds.push_back(s);
  }
  return seeds;
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

std::vector<train::RunResult> VariantResults::finished() const {
  std::vector<train::RunResult> results;
  for (const auto& cell : cells) {
    if (cell.result) results.push_back(*cell.result);
  }
  return results;
}

std::vector<double> VariantResults::scores(const std::string& metric) const {
  std::vector<double> scores;
  for (const auto& result : finished())
    scores.push_back(metrics::score_of(result.test->scores, metric));
  return scores;
}

train::TestScores known_test(const std::vector<VariantResults>& variants) {
  for (const auto& cell : variants.front().cells) {
    if (cell.result) return *cell.result->test;
  }
  return {};
}

std::optional<metrics::SystemComparison> ResultsCollector::compare(
    std::size_t data, std::size_t variant, const std::vector<std::size_t>& seeds) const {
  std::vector<std::filesystem::path> first, second;
  for (const auto seed : seeds) {
    first.push_back(experiment_.cell(data, 0, seed).folder);
    second.push_back(experiment_.cell(data, variant, seed).folder);
  }
  return metrics::compare_tests(first, second);
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

}  // namespace fastformer::study

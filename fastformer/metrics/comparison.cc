#include "fastformer/metrics/comparison.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "fastformer/metrics/item_results.h"

namespace fastformer::metrics {
namespace {

namespace fs = std::filesystem;

using Folders = std::vector<fs::path>;
using Classes = std::vector<std::vector<std::int32_t>>;  ///< [runs][N]

std::int64_t classes_of(const Classes& lists) {
  std::int32_t last = 0;
  for (const auto& list : lists) {
    for (const auto number : list) last = std::max(last, number);
  }
  return last + 1;
}

std::optional<SystemComparison> compare_predictions(const Folders& first, const Folders& second) {
  Classes labels;
  const auto read = [&](const Folders& folders) {
    Classes predicted;
    for (const auto& folder : folders) {
      auto run = read_class_predictions(folder / kClassPredictionsFile);
      labels.push_back(std::move(run.labels));
      predicted.push_back(std::move(run.predicted));
    }
    return predicted;
  };
  const auto from = read(first), to = read(second);
  const bool paired = std::all_of(labels.begin(), labels.end(),
                                  [&](const auto& list) { return list == labels.front(); });
  if (!paired) return std::nullopt;
  const auto classes = std::max({classes_of(labels), classes_of(from), classes_of(to)});
  return paired_bootstrap(labels.front(), from, to, {.classes = classes});
}

bool same_items(const ItemScores& a, const ItemScores& b) {
  return a.metrics == b.metrics && a.items == b.items;
}

// The mean over the runs, item by item; empty if their items differ.
std::optional<ItemScores> mean_items(const Folders& folders) {
  auto mean = read_item_scores(folders.front() / kItemScoresFile);
  for (std::size_t r = 1; r < folders.size(); ++r) {
    const auto run = read_item_scores(folders[r] / kItemScoresFile);
    if (!same_items(mean, run)) return std::nullopt;
    for (std::size_t i = 0; i < mean.scores.size(); ++i) mean.scores[i] += run.scores[i];
  }
  for (auto& score : mean.scores) score /= static_cast<double>(folders.size());
  return mean;
}

std::optional<SystemComparison> compare_items(const Folders& first, const Folders& second) {
  const auto from = mean_items(first), to = mean_items(second);
  if (!from || !to || !same_items(*from, *to)) return std::nullopt;
  SystemComparison comparison;
  for (std::size_t m = 0; m < from->metrics.size(); ++m) {
    comparison[from->metrics[m]] = paired_bootstrap_of_means(from->column(m), to->column(m), {});
  }
  return comparison;
}

}  // namespace

bool has_test_results(const fs::path& folder) {
  return fs::exists(folder / kClassPredictionsFile) || fs::exists(folder / kItemScoresFile);
}

std::optional<SystemComparison> compare_tests(const Folders& first, const Folders& second) {
  return fs::exists(first.front() / kItemScoresFile) ? compare_items(first, second)
                                                     : compare_predictions(first, second);
}

}  // namespace fastformer::metrics

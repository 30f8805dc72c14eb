#include "fastformer/train/test_comparison.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "fastformer/train/test_items.h"
#include "fastformer/train/test_predictions.h"

namespace fastformer::train {
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

std::optional<TestComparison> compare_predictions(const Folders& first, const Folders& second) {
  Classes labels;
  const auto read = [&](const Folders& folders) {
    Classes predicted;
    for (const auto& folder : folders) {
      auto run = read_predictions(folder / kPredictionsFile);
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
  const auto comparison = tasks::paired_bootstrap(labels.front(), from, to, {.classes = classes});
  return TestComparison{{"accuracy", comparison.accuracy}, {"macro_f1", comparison.macro_f1}};
}

bool same_items(const TestItems& a, const TestItems& b) {
  return a.metrics == b.metrics && a.items == b.items;
}

// The mean over the runs, item by item; nothing where their items differ.
std::optional<TestItems> mean_items(const Folders& folders) {
  auto mean = read_test_items(folders.front() / kTestItemsFile);
  for (std::size_t r = 1; r < folders.size(); ++r) {
    const auto run = read_test_items(folders[r] / kTestItemsFile);
    if (!same_items(mean, run)) return std::nullopt;
    for (std::size_t i = 0; i < mean.scores.size(); ++i) mean.scores[i] += run.scores[i];
  }
  for (auto& score : mean.scores) score /= static_cast<double>(folders.size());
  return mean;
}

std::optional<TestComparison> compare_items(const Folders& first, const Folders& second) {
  const auto from = mean_items(first), to = mean_items(second);
  if (!from || !to || !same_items(*from, *to)) return std::nullopt;
  TestComparison comparison;
  for (std::size_t m = 0; m < from->metrics.size(); ++m) {
    comparison[from->metrics[m]] =
        tasks::paired_bootstrap_of_means(from->column(m), to->column(m), {});
  }
  return comparison;
}

}  // namespace

bool has_test_results(const fs::path& folder) {
  return fs::exists(folder / kPredictionsFile) || fs::exists(folder / kTestItemsFile);
}

std::optional<TestComparison> compare_tests(const Folders& first, const Folders& second) {
  return fs::exists(first.front() / kPredictionsFile) ? compare_predictions(first, second)
                                                      : compare_items(first, second);
}

}  // namespace fastformer::train

#include "fastformer/study/experiment_tables.h"

#include <filesystem>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/train/run_directory.h"

namespace fastformer::study {
namespace {

// Six decimals distinguish any two counts of a million items.
std::string csv_scores(const CellStatus& cell, const std::vector<std::string>& metrics) {
  if (!cell.result) return std::string(metrics.size() + 3, ',');
  const auto& result = *cell.result;
  std::string text;
  for (const auto& metric : metrics) {
    text += base::format("%.6f,", metrics::score_of(result.test->scores, metric));
  }
  return text + base::format("%ld,%ld,%ld,%.3f", result.test->items, result.steps,
                             result.parameters, result.training_seconds);
}

}  // namespace

std::string results_csv(const Experiment& experiment, const ExperimentResults& results) {
  const auto& file = experiment.file();
  const auto metrics = experiment.measures().test;
  std::string text = "data,variant,seed,state,";
  for (const auto& metric : metrics) text += metric + ",";
  text += "test_items,steps,parameters,training_seconds\n";
  for (std::size_t d = 0; d < file.data.size(); ++d) {
    for (std::size_t v = 0; v < file.variants.size(); ++v) {
      for (std::size_t s = 0; s < file.seeds.size(); ++s) {
        const auto& cell = results[d][v].cells[s];
        text += file.data[d].name + "," + file.variants[v].name + "," +
                std::to_string(file.seeds[s]) + "," + to_string(cell.state) + "," +
                csv_scores(cell, metrics) + "\n";
      }
    }
  }
  return text;
}

std::string write_results(const Experiment& experiment, ResultsCollector& collector) {
  const auto& folder = experiment.file().output;
  base::create_folder(folder);
  const train::FolderLock turn(folder, train::FolderLock::IfTaken::kWait);
  const auto results = collector.collect();
  base::write_file_atomically(folder / "results.csv", results_csv(experiment, results));
  base::write_file_atomically(folder / "results.json", results_json(experiment, results));
  auto tables = results_markdown(experiment, results);
  base::write_file_atomically(folder / "results.md", tables);
  return tables;
}

}  // namespace fastformer::study

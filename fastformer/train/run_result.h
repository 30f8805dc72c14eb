#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fastformer/metrics/scores.h"

namespace fastformer::train {

/// The scores of a model on the test part.
struct TestScores {
  std::int64_t items = 0;  ///< documents or impressions
  metrics::Scores scores;
  std::vector<metrics::NamedScores> baselines;  ///< on the same part
};

/// The content of result.json, which a finished run writes.
struct RunResult {
  std::int64_t steps = 0;
  double training_seconds = 0;          ///< spent in steps, without evaluations and checkpoints
  std::int64_t parameters = 0;          ///< number of trained parameters
  std::int64_t encoder_parameters = 0;  ///< of them outside the embedding
  std::string metric;                   ///< that selected the model on the validation part
  std::int64_t best_step = -1;          ///< of the model; -1: there is no validation part
  double best_validation = 0;           ///< its value there
  std::optional<TestScores> test;       ///< empty without a test part
};

/// Throws std::runtime_error if the file cannot be written.
void write_run_result(const std::filesystem::path& path, const RunResult& result);
/// Throws std::invalid_argument for a file that is missing or damaged.
RunResult read_run_result(const std::filesystem::path& path);

}  // namespace fastformer::train

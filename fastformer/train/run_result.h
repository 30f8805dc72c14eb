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

/// The content of result.json of a finished run.
struct RunResult {
  std::int64_t steps = 0;
  double training_seconds = 0;          ///< time in steps, without evaluations and checkpoints
  std::int64_t parameters = 0;          ///< number of trained parameters
  std::int64_t encoder_parameters = 0;  ///< those of them outside the embedding
  std::string metric;                   ///< the validation metric that selected the model
  std::int64_t best_step = -1;          ///< step of the best evaluation; -1: no validation part
  double best_validation = 0;           ///< value of `metric` at that step
  /// Steps of the second training, whose weights the model has; 0: it has those of best_step.
  std::int64_t refit_steps = 0;
  std::optional<TestScores> test;  ///< nullopt without a test part
};

/// Throws std::runtime_error if the file cannot be written.
void write_run_result(const std::filesystem::path& path, const RunResult& result);
/// Throws std::invalid_argument for a file that is missing or damaged.
RunResult read_run_result(const std::filesystem::path& path);

}  // namespace fastformer::train

#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace fastformer::train {

inline constexpr const char* kPredictionsFile = "test_predictions.csv";

/// What a model said about each document of the test part, in the order of that part. Classes are
/// numbered from 0 in the order of test.json. The file is CSV: `label,predicted`, a row a document.
struct TestPredictions {
  std::vector<std::int32_t> labels;     ///< [N]
  std::vector<std::int32_t> predicted;  ///< [N]
};

/// Throws std::runtime_error when the disk refuses.
void write_predictions(const std::filesystem::path& path, const TestPredictions& predictions);
/// Throws std::invalid_argument with file and line for what is no such file.
TestPredictions read_predictions(const std::filesystem::path& path);

}  // namespace fastformer::train

#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fastformer/metrics/bootstrap.h"

namespace fastformer::metrics {

/// Whether a run's folder holds the data for comparisons: the file of ClassPredictions or of
/// ItemScores.
bool has_test_results(const std::filesystem::path& folder);

/// Compares two systems by the files of their runs on the same test part. `first` and `second` are
/// folders of runs with the same seeds, pair by pair, at least one each. Predicted classes are
/// compared as paired_bootstrap does; scores of items are averaged over the runs, item by item, and
/// compared as paired_bootstrap_of_means does.
///
/// Scores without a paired bootstrap, such as the loss, are not in the result. The result is empty
/// if the runs were measured on different items. Throws std::invalid_argument with file and line
/// for a file that cannot be read.
std::optional<SystemComparison> compare_tests(const std::vector<std::filesystem::path>& first,
                                              const std::vector<std::filesystem::path>& second);

}  // namespace fastformer::metrics

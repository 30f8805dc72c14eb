#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fastformer/metrics/bootstrap.h"

namespace fastformer::metrics {

/// Whether the folder of a run contains the data for comparisons: the file of ClassPredictions or
/// of ItemScores.
bool has_test_results(const std::filesystem::path& folder);

/// Compares two systems by the result files of their runs on the same test part. `first` and
/// `second` are folders of runs, at least one each; run i of both has the same seed. Predicted
/// classes are compared by paired_bootstrap(). Scores of items are averaged over the runs and
/// compared by paired_bootstrap_of_means().
///
/// The result has no scores that the bootstrap cannot compare, such as the loss. It is nullopt if
/// the runs were evaluated on different items. Throws std::invalid_argument with file and line for
/// a file that cannot be read.
std::optional<SystemComparison> compare_tests(const std::vector<std::filesystem::path>& first,
                                              const std::vector<std::filesystem::path>& second);

}  // namespace fastformer::metrics

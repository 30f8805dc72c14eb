#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fastformer/metrics/bootstrap.h"

namespace fastformer::metrics {

/// Whether a run left in its folder what systems are compared by: the file of ClassPredictions or
/// that of ItemScores.
bool has_test_results(const std::filesystem::path& folder);

/// Compares two systems by what their runs left of the same test part. `first` and `second` are
/// folders of runs with the same seeds, pair by pair, and at least one of either. Predicted classes
/// are compared as paired_bootstrap does; scores of items are averaged over the runs, item
/// by item, and compared as paired_bootstrap_of_means does.
///
/// A score that no paired bootstrap can be made of, as the loss, is not in the answer. Nothing
/// where the runs were measured on different items, which pair with nothing. Throws
/// std::invalid_argument with file and line for a file that cannot be read.
std::optional<SystemComparison> compare_tests(const std::vector<std::filesystem::path>& first,
                                              const std::vector<std::filesystem::path>& second);

}  // namespace fastformer::metrics

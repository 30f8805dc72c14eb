#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fastformer/tasks/bootstrap.h"

namespace fastformer::train {

/// How each score of a second system differs from the first's: {metric: difference}. A score that
/// no paired bootstrap can be made of, as the loss, is not among them.
using TestComparison = std::map<std::string, tasks::ScoreDifference>;

/// Whether a run left in its folder what systems are compared by: the file of TestPredictions or
/// that of TestItems.
bool has_test_results(const std::filesystem::path& folder);

/// Compares two systems by what their runs left of the same test part. `first` and `second` are
/// folders of runs with the same seeds, pair by pair, and at least one of either. Predicted classes
/// are compared as tasks::paired_bootstrap does; scores of items are averaged over the runs, item
/// by item, and compared as tasks::paired_bootstrap_of_means does.
///
/// Nothing where the runs were measured on different items, which pair with nothing. Throws
/// std::invalid_argument with file and line for a file that cannot be read.
std::optional<TestComparison> compare_tests(const std::vector<std::filesystem::path>& first,
                                            const std::vector<std::filesystem::path>& second);

}  // namespace fastformer::train

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/evaluation.h"

namespace fastformer::classification {

/// Writes the rows of `files` whose predicted class is wrong to a CSV file with the columns where,
/// label, predicted, probability, label_probability and text; the rows with the least probable
/// labels come first. `evaluation` must be the result for `files`. Throws std::runtime_error if the
/// file cannot be written or `files` have changed.
void write_misclassified(const std::filesystem::path& path, const DataConfig& config,
                         const std::vector<std::string>& files, const Evaluation& evaluation,
                         const std::vector<std::string>& labels);

}  // namespace fastformer::classification

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/evaluation.h"

namespace fastformer::classification {

/// Writes the rows of `files`, which gave `evaluation`, that got another class than theirs: a CSV
/// file with the columns where, label, predicted, probability, label_probability and text, the
/// least probable labels first. Throws std::runtime_error when the disk refuses or the files
/// changed.
void write_misclassified(const std::filesystem::path& path, const DataConfig& config,
                         const std::vector<std::string>& files, const Evaluation& evaluation,
                         const std::vector<std::string>& labels);

}  // namespace fastformer::classification

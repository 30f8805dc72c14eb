#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace fastformer::model {

/// The file of a model directory with the probability from which each label is predicted:
/// {label: probability}. Absent from models with one class per document.
inline constexpr const char* kThresholdsFile = "thresholds.json";

/// The labels whose probability is at least their threshold, ascending.
std::vector<std::int32_t> labels_above(std::span<const double> probabilities,
                                       std::span<const double> thresholds);

void save_thresholds(const std::filesystem::path& file, const std::vector<std::string>& labels,
                     std::span<const double> thresholds);
/// Throws std::invalid_argument with one sentence for a file that is missing or damaged, or lacks a
/// label.
std::vector<double> load_thresholds(const std::filesystem::path& file,
                                    const std::vector<std::string>& labels);

}  // namespace fastformer::model

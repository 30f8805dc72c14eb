#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "fastformer/linear/targets.h"

namespace fastformer::classification {

/// The file of a model directory with the thresholds: {label: probability}. Absent from models with
/// one class per document.
inline constexpr const char* kThresholdsFile = "thresholds.json";

/// The threshold of each label that has the largest F1 on documents with these logits
/// [documents, labels]. Few documents would decide by chance: a label that fewer than 10 documents
/// have gets the threshold that is best for all labels together (the largest micro-F1).
std::vector<double> choose_thresholds(std::span<const double> logits,
                                      const linear::Targets& targets);

/// The labels whose probability is at least their threshold, ascending.
std::vector<std::int32_t> labels_above(std::span<const double> probabilities,
                                       std::span<const double> thresholds);

void save_thresholds(const std::filesystem::path& file, const std::vector<std::string>& labels,
                     std::span<const double> thresholds);
/// Throws std::invalid_argument with one sentence for a file that is missing or damaged, or lacks a
/// label.
std::vector<double> load_thresholds(const std::filesystem::path& file,
                                    const std::vector<std::string>& labels);

}  // namespace fastformer::classification

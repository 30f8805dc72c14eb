#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/study/efficiency.h"

namespace fastformer::study {

/// Table 7: operations of a sequence of N tokens at width d without the projections. Empty for a
/// mixer that the paper does not have.
std::string paper_complexity(const std::string& mixer);

/// Figure 2, read off: time a layer for 65,536 tokens in sequences of `length`; only ratios mean
/// something here. NaN where the figure has no point.
double paper_time(const std::string& mixer, const std::string& pass, std::int64_t length);

/// The cells of a study as CSV with the columns mixer, pass, length, precision, threads,
/// milliseconds_per_layer, low, high, peak_bytes, operations, status.
void write_efficiency(const std::filesystem::path& path, const std::vector<EfficiencyCell>& cells);

/// Reads them again; no file gives no cells. Throws std::invalid_argument naming file and line
/// where a row is not one of such a table.
std::vector<EfficiencyCell> read_efficiency(const std::filesystem::path& path);

/// How the cost of a sequence grows with its length n, from the times of equal batches: the slope
/// of log time against log n, by least squares over the measured lengths from `least` on, plus one,
/// since a batch has fewer sequences the longer they are. NaN with fewer than two.
double cost_exponent(const std::vector<EfficiencyCell>& cells, const std::string& mixer,
                     const std::string& pass, std::int64_t least);

/// A Markdown table for each pass: milliseconds a layer, the ratio to the additive mixer, the
/// exponent next to the complexity that the paper gives, and the paper's ratios.
std::string efficiency_markdown(const std::vector<EfficiencyCell>& cells);

}  // namespace fastformer::study

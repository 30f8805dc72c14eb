#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/study/efficiency.h"

namespace fastformer::study {

/// Table 7: operations of a sequence of N tokens at width d without the projections. Empty for a
/// mixer that is not in the paper.
std::string paper_complexity(const std::string& mixer);

/// Time per layer for 65,536 tokens in sequences of `length`, read from figure 2; only ratios are
/// meaningful. NaN if the figure has no point.
double paper_time(const std::string& mixer, const std::string& pass, std::int64_t length);

/// A time in few digits: 0.12, 12.3, 1230; empty if not finite.
std::string digits(double value);

/// The cells of a study as CSV with the columns mixer, pass, length, precision, threads,
/// milliseconds_per_layer, low, high, peak_bytes, operations, status.
void write_efficiency(const std::filesystem::path& path, const std::vector<EfficiencyCell>& cells);

/// Reads the cells; no cells without a file. Throws std::invalid_argument naming file and line for
/// a row that is not part of such a table.
std::vector<EfficiencyCell> read_efficiency(const std::filesystem::path& path);

/// The exponent with which the cost of a sequence grows with its length n: the slope of log time
/// per batch against log n, by least squares over the measured lengths from `least` on, plus one,
/// because the number of sequences per batch falls as 1/n. NaN for fewer than two lengths.
double cost_exponent(const std::vector<EfficiencyCell>& cells, const std::string& mixer,
                     const std::string& pass, std::int64_t least);

/// A Markdown table for each pass: milliseconds per layer, the ratio to the additive mixer, the
/// exponent, the complexity stated in the paper, and the paper's ratios.
std::string efficiency_markdown(const std::vector<EfficiencyCell>& cells);

}  // namespace fastformer::study

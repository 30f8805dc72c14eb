#pragma once

#include <cstdint>
#include <string>

/// Wu et al., arXiv 2108.09084: what the paper reports of efficiency, to be printed beside ours.
namespace fastformer::train {

/// Table 7: operations of a sequence of N tokens at width d without the projections. Empty for a
/// mixer that the paper does not have.
std::string paper_complexity(const std::string& mixer);

/// Figure 2, read off: time a layer for 65,536 tokens in sequences of `length`; only ratios mean
/// something here. NaN where the figure has no point.
double paper_time(const std::string& mixer, const std::string& pass, std::int64_t length);

}  // namespace fastformer::train

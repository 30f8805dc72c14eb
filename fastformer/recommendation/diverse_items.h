#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <span>
#include <vector>

namespace fastformer::recommendation {

/// Chooses `top` of N items one after another by maximal marginal relevance (Carbonell and
/// Goldstein 1998). The next one has the largest
///   (1 - diversity) * r - diversity * s,
/// where r is its score, scaled so that those of the N items go from 0 to 1, and s is the largest
/// cosine of its vector and that of an item chosen before; of equal ones the first. `vectors`
/// [N, d], `scores` [N], 0 <= diversity <= 1. Returns their places, in the order of the choice.
std::vector<std::size_t> diverse_items(const at::Tensor& vectors, std::span<const float> scores,
                                       std::size_t top, double diversity);

}  // namespace fastformer::recommendation

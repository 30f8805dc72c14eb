#pragma once

#include <span>
#include <vector>

#include "fastformer/linear/pool.h"

namespace fastformer::linear {

/// fit_pool() for labels that do not exclude each other: the mean over the texts of the sum over
/// the labels of the sigmoid's cross-entropy, by Newton's method. Where that gives members a
/// negative coefficient, the most negative one is dropped, until none is negative.
Pool fit_sigmoid_pool(const std::vector<std::vector<double>>& scores, const Targets& targets,
                      std::span<const double> prior);

}  // namespace fastformer::linear

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace fastformer::metrics {

/// The expected calibration error (Naeini et al. 2015; Guo et al. 2017), here with groups of equal
/// size: the predictions are sorted by confidence and divided into `bins` groups, and
///   error = sum over the groups of (size / n) * |mean confidence - share of right predictions|.
/// `confidence` [n]: the probability of the predicted class; `right` [n]: 1 if it is the true
/// class, else 0. Returns 0 without predictions.
double expected_calibration_error(std::span<const double> confidence,
                                  std::span<const std::uint8_t> right, std::size_t bins = 15);

}  // namespace fastformer::metrics

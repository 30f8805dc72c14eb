#include "fastformer/metrics/calibration.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace fastformer::metrics {

double expected_calibration_error(std::span<const double> confidence,
                                  std::span<const std::uint8_t> right, std::size_t bins) {
  std::vector<std::size_t> order(confidence.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return confidence[a] < confidence[b]; });
  double error = 0;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const auto begin = order.size() * bin / bins, end = order.size() * (bin + 1) / bins;
    double difference = 0;
    for (std::size_t i = begin; i < end; ++i) {
      difference += confidence[order[i]] - (right[order[i]] != 0 ? 1 : 0);
    }
    error += std::abs(difference);
  }
  return order.empty() ? 0 : error / static_cast<double>(order.size());
}

}  // namespace fastformer::metrics

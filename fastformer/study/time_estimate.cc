#include "fastformer/study/time_estimate.h"

#include <array>

namespace fastformer::study {
namespace {

struct Mean {
  double sum = 0, count = 0;
  void add(double value) {
    sum += value;
    ++count;
  }
};

}  // namespace

double TimeEstimate::seconds_of(const Cell& cell) const {
  std::array<Mean, 3> means;  // from the nearest to the farthest
  for (const auto& [done, seconds] : done_) {
    if (done->data == cell.data && done->variant == cell.variant) means[0].add(seconds);
    if (done->data == cell.data) means[1].add(seconds);
    means[2].add(seconds);
  }
  for (const auto& mean : means) {
    if (mean.count > 0) return mean.sum / mean.count;
  }
  return 0;
}

std::optional<double> TimeEstimate::seconds_for(const std::vector<const Cell*>& cells) const {
  if (done_.empty()) return std::nullopt;
  double total = 0;
  for (const auto* cell : cells) total += seconds_of(*cell);
  return total;
}

}  // namespace fastformer::study

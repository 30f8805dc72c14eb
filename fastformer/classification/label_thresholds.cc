#include "fastformer/classification/label_thresholds.h"

#include <algorithm>

#include "fastformer/linear/pool.h"
#include "fastformer/metrics/label_sets.h"

namespace fastformer::classification {
namespace {

constexpr std::int64_t kEnoughDocuments = 10;

}  // namespace

std::vector<double> choose_thresholds(std::span<const double> logits,
                                      const linear::Targets& targets) {
  const auto labels = static_cast<std::size_t>(targets.classes);
  const auto documents = static_cast<std::size_t>(targets.size());
  // A column of documents for each label, one after another.
  std::vector<double> probabilities(logits.size());
  std::vector<std::uint8_t> positive(logits.size());
  for (std::size_t i = 0; i < documents; ++i) {
    for (std::size_t c = 0; c < labels; ++c) {
      probabilities[c * documents + i] = linear::sigmoid(logits[i * labels + c]);
    }
    for (const auto label : targets.of(static_cast<std::int64_t>(i))) {
      positive[static_cast<std::size_t>(label) * documents + i] = 1;
    }
  }
  const double common = metrics::best_f1_threshold(probabilities, positive);
  std::vector<double> thresholds;
  for (std::size_t c = 0; c < labels; ++c) {
    const auto own = std::span(positive).subspan(c * documents, documents);
    const bool enough = std::count(own.begin(), own.end(), 1) >= kEnoughDocuments;
    thresholds.push_back(enough
                             ? metrics::best_f1_threshold(
                                   std::span(probabilities).subspan(c * documents, documents), own)
                             : common);
  }
  return thresholds;
}

}  // namespace fastformer::classification

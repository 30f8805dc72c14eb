#include "fastformer/classification/label_thresholds.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"
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

std::vector<std::int32_t> labels_above(std::span<const double> probabilities,
                                       std::span<const double> thresholds) {
  std::vector<std::int32_t> labels;
  for (std::size_t c = 0; c < probabilities.size(); ++c) {
    if (probabilities[c] >= thresholds[c]) labels.push_back(static_cast<std::int32_t>(c));
  }
  return labels;
}

void save_thresholds(const std::filesystem::path& file, const std::vector<std::string>& labels,
                     std::span<const double> thresholds) {
  nlohmann::ordered_json json;
  for (std::size_t c = 0; c < labels.size(); ++c) json[labels[c]] = thresholds[c];
  base::write_file_atomically(
      file, json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

std::vector<double> load_thresholds(const std::filesystem::path& file,
                                    const std::vector<std::string>& labels) {
  const auto content = base::read_file(file);
  const auto json = nlohmann::json::parse(content, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    throw std::invalid_argument(
        file.string() + ": is damaged, expected {label: probability}; train the model again");
  }
  std::vector<double> thresholds;
  for (const auto& label : labels) {
    const auto found = json.find(label);
    const bool good = found != json.end() && found->is_number();
    thresholds.push_back(good ? found->get<double>() : -1);
    if (thresholds.back() >= 0 && thresholds.back() <= 1) continue;
    throw std::invalid_argument(file.string() + ": has no probability for the label '" +
                                base::excerpt(label) + "', expected a number from 0 to 1");
  }
  return thresholds;
}

}  // namespace fastformer::classification

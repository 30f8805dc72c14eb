#include "fastformer/model/label_thresholds.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"

namespace fastformer::model {

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
        file.string() + ": expected a JSON object {label: probability}; train the model again");
  }
  std::vector<double> thresholds;
  for (const auto& label : labels) {
    const auto found = json.find(label);
    const bool good = found != json.end() && found->is_number();
    thresholds.push_back(good ? found->get<double>() : -1);
    if (thresholds.back() >= 0 && thresholds.back() <= 1) continue;
    throw std::invalid_argument(file.string() + ": has no probability for the label '" +
                                base::excerpt(label) +
                                "', expected a number from 0 to 1; train the model again");
  }
  return thresholds;
}

}  // namespace fastformer::model

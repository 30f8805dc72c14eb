#include "fastformer/recommendation/collaborative/click_scores.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/safetensors.h"
#include "fastformer/base/strict_json.h"
#include "fastformer/nn/tensor_file.h"

namespace fastformer::recommendation {
namespace {

constexpr const char* kWeightsFile = "clicks.safetensors";
constexpr const char* kIdsFile = "clicked_items.json";

[[noreturn]] void refuse(const std::filesystem::path& directory) {
  throw std::invalid_argument((directory / kWeightsFile).string() + " and " + kIdsFile +
                              " do not belong together or are damaged; train the model again");
}

std::vector<std::string> read_ids(const std::filesystem::path& directory) {
  const auto file = directory / kIdsFile;
  const auto json =
      base::parse_strict_json<nlohmann::json>(base::read_small_file(file), file.string());
  std::vector<std::string> ids;
  try {
    ids = json.get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw std::invalid_argument(file.string() + ": is not a list of texts; train the model again");
  }
  const std::unordered_set<std::string> distinct(ids.begin(), ids.end());
  if (distinct.size() != ids.size()) refuse(directory);
  return ids;
}

}  // namespace

std::vector<std::string> click_member_names() { return {"popularity", "item_knn", "ease"}; }

void ClickScores::save(const std::filesystem::path& directory) const {
  nn::save_tensors(directory / kWeightsFile,
                   {{"weights", weights},
                    {"bias", bias},
                    {"titles_weight", at::full({1}, titles_weight, at::kDouble)},
                    {"decay", at::full({1}, decay, at::kDouble)}},
                   {{"format", "pt"}});
  base::write_file_atomically(directory / kIdsFile, nlohmann::json(ids).dump() + "\n");
}

ClickScores ClickScores::load(const std::filesystem::path& directory) {
  ClickScores clicks{.ids = read_ids(directory), .weights = {}, .bias = {}};
  const auto file = base::SafetensorsFile::map(directory / kWeightsFile);
  const auto size = std::ssize(clicks.ids);
  const auto take = [&](const char* name, const std::vector<std::int64_t>& shape,
                        at::ScalarType type) {
    const auto found = file.tensors().find(name);
    if (found == file.tensors().end() || found->second.shape != shape) refuse(directory);
    const auto where = file.path().string() + ": " + name;
    auto tensor = nn::to_tensor(found->second, where);
    if (tensor.scalar_type() != type) refuse(directory);
    nn::check_finite(tensor, where);
    return tensor;
  };
  clicks.weights = take("weights", {size, size}, at::kFloat);
  clicks.bias = take("bias", {size}, at::kFloat);
  clicks.titles_weight = take("titles_weight", {1}, at::kDouble).item<double>();
  clicks.decay = take("decay", {1}, at::kDouble).item<double>();
  constexpr double kMost = std::numeric_limits<float>::max();
  if (!(clicks.titles_weight >= 0 && clicks.titles_weight <= kMost) ||
      !(clicks.decay > 0 && clicks.decay <= 1)) {
    refuse(directory);
  }
  return clicks;
}

double decayed_weight(const at::Tensor& weights, std::span<const std::int64_t> row_of,
                      std::span<const std::int32_t> history, std::int64_t column, double decay) {
  const auto* values = weights.const_data_ptr<float>();
  const auto size = weights.size(1);
  double sum = 0, factor = 1;
  for (auto clicked = history.rbegin(); clicked != history.rend(); ++clicked) {
    const auto row = row_of[static_cast<std::size_t>(*clicked)];
    if (row >= 0) sum += factor * values[row * size + column];
    factor *= decay;
  }
  return sum;
}

TableClickScores::TableClickScores(std::shared_ptr<const ClickScores> clicks,
                                   const ItemTable& items)
    : clicks_(std::move(clicks)),
      row_of_(static_cast<std::size_t>(items.size()), -1),
      has_bias_(at::any(clicks_->bias != 0).item<bool>()) {
  for (std::size_t row = 0; row < clicks_->ids.size(); ++row) {
    const auto item = items.find(clicks_->ids[row]);
    item_of_.push_back(item == ItemTable::kUnknown ? -1 : item);
    if (item != ItemTable::kUnknown) {
      row_of_[static_cast<std::size_t>(item)] = static_cast<std::int64_t>(row);
      known_.push_back(item);
    }
  }
  std::sort(known_.begin(), known_.end());
}

double TableClickScores::bias(std::int32_t item) const {
  const auto row = row_of_[static_cast<std::size_t>(item)];
  return row < 0 ? 0 : clicks_->bias.const_data_ptr<float>()[row];
}

double TableClickScores::weight(std::int32_t clicked, std::int32_t candidate) const {
  const auto row = row_of_[static_cast<std::size_t>(clicked)];
  const auto column = row_of_[static_cast<std::size_t>(candidate)];
  if (row < 0 || column < 0) return 0;
  return clicks_->weights.const_data_ptr<float>()[row * std::ssize(item_of_) + column];
}

double TableClickScores::score(double titles, std::span<const std::int32_t> history,
                               std::int32_t candidate) const {
  const auto column = row_of_[static_cast<std::size_t>(candidate)];
  if (column < 0) return titles_weight() * titles;
  return titles_weight() * titles + bias(candidate) +
         decayed_weight(clicks_->weights, row_of_, history, column, decay());
}

std::vector<double> TableClickScores::added_by(std::span<const std::int32_t> history) const {
  // Row by row, because the weights of one click are neighbours in memory.
  const auto rows = std::ssize(item_of_);
  std::vector<double> added(item_of_.size());
  double factor = 1;
  for (auto clicked = history.rbegin(); clicked != history.rend(); ++clicked) {
    const auto row = row_of_[static_cast<std::size_t>(*clicked)];
    if (row >= 0) {
      const auto* weights = clicks_->weights.const_data_ptr<float>() + row * rows;
      for (std::size_t column = 0; column < added.size(); ++column) {
        added[column] += factor * weights[column];
      }
    }
    factor *= decay();
  }
  return added;
}

void TableClickScores::apply(std::span<float> scores, std::span<const std::int32_t> history) const {
  const auto added = added_by(history);
  const auto* bias = clicks_->bias.const_data_ptr<float>();
  std::vector<double> sums(scores.begin(), scores.end());
  for (auto& sum : sums) sum *= titles_weight();
  for (std::size_t row = 0; row < item_of_.size(); ++row) {
    if (item_of_[row] < 0) continue;
    auto& sum = sums[static_cast<std::size_t>(item_of_[row])];
    sum = sum + bias[row] + added[row];
  }
  for (std::size_t item = 0; item < scores.size(); ++item) {
    scores[item] = static_cast<float>(sums[item]);
  }
}

void TableClickScores::apply(std::span<float> scores, std::span<const std::int32_t> history,
                             std::span<const std::int32_t> candidates) const {
  // For few candidates, the rows of weights are longer than what is needed of them.
  constexpr std::size_t kFew = 16;
  if (candidates.size() * kFew < item_of_.size()) {
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      scores[c] = static_cast<float>(score(scores[c], history, candidates[c]));
    }
    return;
  }
  const auto added = added_by(history);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    double sum = titles_weight() * scores[c];
    const auto row = row_of_[static_cast<std::size_t>(candidates[c])];
    if (row >= 0) sum = sum + bias(candidates[c]) + added[static_cast<std::size_t>(row)];
    scores[c] = static_cast<float>(sum);
  }
}

ScoreUse TableClickScores::with_clicks(const ScoreUse& use) const {
  return [this, use, sums = std::vector<double>()](const Impression& impression,
                                                   std::span<const double> scores) mutable {
    sums.clear();
    for (std::size_t c = 0; c < scores.size(); ++c) {
      sums.push_back(score(scores[c], impression.history, impression.candidates[c].item()));
    }
    use(impression, sums);
  };
}

}  // namespace fastformer::recommendation

#include "fastformer/linear/linear_part.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "fastformer/base/config_tree.h"
#include "fastformer/base/finite.h"
#include "fastformer/base/safetensors.h"

namespace fastformer::linear {
namespace {

constexpr const char* kConfigKey = "config";
constexpr const char* kBiases = "biases";  // of the pool and each member; absent if all are 0

template <class T>
base::TensorView view_of(const std::vector<T>& values, const char* type,
                         std::vector<std::int64_t> shape) {
  return {type, std::move(shape), std::as_bytes(std::span(values))};
}

// The tensors of a file, checked as they are taken.
class Tensors {
 public:
  explicit Tensors(const std::filesystem::path& file)
      : tensors_(base::SafetensorsFile::open(file)), file_(file.string()) {}

  template <class T>
  std::vector<T> take(const std::string& name, const char* type,
                      const std::vector<std::int64_t>& shape) const {
    const auto found = tensors_.tensors().find(name);
    if (found == tensors_.tensors().end()) fail("has no tensor '" + name + "'");
    const auto& tensor = found->second;
    if (tensor.dtype != type || tensor.shape != shape) {
      fail("has a tensor '" + name + "' whose type or shape does not match its configuration");
    }
    std::vector<T> values(tensor.data.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
    if constexpr (!std::is_same_v<T, std::int64_t>) {
      if (!base::all_finite(std::span<const T>(values))) {
        throw std::invalid_argument(file_ + ": '" + name +
                                    "' contains numbers that are not finite; the model has "
                                    "diverged: train it again");
      }
    }
    return values;
  }

  std::int64_t length(const std::string& name) const {
    const auto found = tensors_.tensors().find(name);
    const bool is_list = found != tensors_.tensors().end() && found->second.shape.size() == 1;
    return is_list ? found->second.shape.front() : 0;
  }

  base::ConfigTree config() const {
    const auto json = tensors_.metadata().find(kConfigKey);
    if (json == tensors_.metadata().end()) fail("has no configuration in its metadata");
    return base::ConfigTree::from_json(json->second, file_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::invalid_argument(file_ + ": " + what + "; train the model again");
  }

  base::SafetensorsFile tensors_;
  std::string file_;
};

}  // namespace

LinearPart LinearPart::with_equal_weights(std::shared_ptr<const LinearModel> model) {
  const double share = 1.0 / static_cast<double>(model->members().size() + 1);
  LinearPart part{.model = std::move(model), .pool = {.coefficients = {share}}};
  for (const auto& own : part.model->calibrations()) {
    part.pool.coefficients.push_back(share * own.sharpness);
    part.pool.bias += share * own.bias;
  }
  return part;
}

LinearPart LinearPart::without_unused() const {
  return {.model = std::make_shared<LinearModel>(model->without_unused()), .pool = pool};
}

void LinearPart::save(const std::filesystem::path& file) const {
  const auto& table = model->table();
  const auto columns = table.size();
  std::map<std::string, base::TensorView> tensors;
  // Signed, since other readers of the format lack the unsigned type of 64 bits.
  const std::vector<std::int64_t> keys(table.keys().begin(), table.keys().end());
  tensors["keys"] = view_of(keys, "I64", {columns});
  tensors["pool"] = view_of(pool.coefficients, "F64", {std::ssize(pool.coefficients)});
  std::vector<double> sharpness, biases = {pool.bias};
  for (const auto& own : model->calibrations()) {
    sharpness.push_back(own.sharpness);
    biases.push_back(own.bias);
  }
  tensors["sharpness"] = view_of(sharpness, "F64", {std::ssize(sharpness)});
  if (std::ranges::any_of(biases, [](double bias) { return bias != 0; })) {
    tensors[kBiases] = view_of(biases, "F64", {std::ssize(biases)});
  }
  base::ConfigTree config;
  config.write_section("text", table.text_config());
  config.write_section("ngrams", table.config());
  for (const auto& member : model->members()) {
    const std::string name = base::word_of(member.config.weighting);
    config.write_section(name, member.config);
    tensors[name + ".scale"] = view_of(member.scale, "F32", {columns});
    tensors[name + ".weights"] = view_of(member.weights, "BF16", {columns, member.classes});
    tensors[name + ".bias"] = view_of(member.bias, "F32", {member.classes});
  }
  base::write_safetensors(file, tensors, {{kConfigKey, config.without_folders().to_json(-1)}});
}

LinearPart LinearPart::load(const std::filesystem::path& file, std::int64_t classes) {
  const Tensors tensors(file);
  const auto config = tensors.config();
  text::TokenizerConfig text;
  NgramConfig ngrams;
  config.read_section("text", text);
  config.read_section("ngrams", ngrams);
  const auto columns = tensors.length("keys");
  const auto keys = tensors.take<std::int64_t>("keys", "I64", {columns});
  std::vector<LinearMember> members;
  for (const auto* name : base::kWords<Weighting>) {
    if (!config.contains(name)) continue;
    LinearMember member{.config = {}, .classes = classes};
    config.read_section(name, member.config);
    const std::string prefix = name;
    member.scale = tensors.take<float>(prefix + ".scale", "F32", {columns});
    member.weights = tensors.take<std::uint16_t>(prefix + ".weights", "BF16", {columns, classes});
    member.bias = tensors.take<float>(prefix + ".bias", "F32", {classes});
    members.push_back(std::move(member));
  }
  const auto count = std::ssize(members);
  Pool pool{.coefficients = tensors.take<double>("pool", "F64", {count + 1})};
  std::vector<Calibration> calibrations;
  for (const auto sharpness : tensors.take<double>("sharpness", "F64", {count})) {
    calibrations.push_back({.sharpness = sharpness});
  }
  if (tensors.length(kBiases) > 0) {
    const auto biases = tensors.take<double>(kBiases, "F64", {count + 1});
    pool.bias = biases.front();
    for (std::size_t k = 0; k < calibrations.size(); ++k) calibrations[k].bias = biases[k + 1];
  }
  return {
      .model = std::make_shared<LinearModel>(NgramTable(ngrams, text, {keys.begin(), keys.end()}),
                                             std::move(members), std::move(calibrations)),
      .pool = std::move(pool)};
}

MemberScores member_scores(std::vector<double> network, const LinearModel* linear,
                           std::span<const std::int32_t> ngrams,
                           std::span<const std::int64_t> offsets) {
  MemberScores scores = {std::move(network)};
  if (linear == nullptr) return scores;
  scores.resize(linear->members().size() + 1);
  for (std::size_t row = 0; row + 1 < offsets.size(); ++row) {
    const auto first = static_cast<std::size_t>(offsets[row]);
    const auto count = static_cast<std::size_t>(offsets[row + 1]) - first;
    const auto of_row = linear->scores(ngrams.subspan(first, count));
    for (std::size_t k = 0; k < of_row.size(); ++k) {
      scores[k + 1].insert(scores[k + 1].end(), of_row[k].begin(), of_row[k].end());
    }
  }
  return scores;
}

}  // namespace fastformer::linear

#include "fastformer/classification/linear_part.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "fastformer/base/config_tree.h"
#include "fastformer/nn/tensor_file.h"

namespace fastformer::classification {
namespace {

constexpr const char* kConfigKey = "config";
constexpr const char* kBiases = "biases";  // of the pool and each member; absent if all are 0

template <class T>
at::Tensor tensor_of(const std::vector<T>& values, at::ScalarType type,
                     const std::vector<std::int64_t>& shape) {
  return at::from_blob(const_cast<T*>(values.data()), shape, at::TensorOptions().dtype(type));
}

// The tensors of a file, checked as they are taken.
class Tensors {
 public:
  Tensors(const nn::ParameterMap& tensors, const std::filesystem::path& file)
      : tensors_(tensors), file_(file.string()) {}

  template <class T>
  std::vector<T> take(const std::string& name, at::ScalarType type,
                      const std::vector<std::int64_t>& shape) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) fail("has no tensor '" + name + "'");
    const auto& tensor = found->second;
    if (tensor.scalar_type() != type || tensor.sizes() != at::IntArrayRef(shape)) {
      fail("has a tensor '" + name + "' whose type or shape does not match its configuration");
    }
    if (tensor.is_floating_point()) nn::check_finite(tensor, file_ + ": '" + name + "'");
    std::vector<T> values(static_cast<std::size_t>(tensor.numel()));
    const auto flat = tensor.contiguous();
    if (!values.empty())
      std::memcpy(values.data(), flat.const_data_ptr(), values.size() * sizeof(T));
    return values;
  }

  std::int64_t length(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found != tensors_.end() && found->second.dim() == 1 ? found->second.size(0) : 0;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw std::invalid_argument(file_ + ": " + what + "; train the model again");
  }

 private:
  const nn::ParameterMap& tensors_;
  std::string file_;
};

// The logits of a network as doubles.
std::vector<double> doubles(const at::Tensor& logits) {
  const auto rows = logits.to(at::kDouble).contiguous();
  const auto* first = rows.const_data_ptr<double>();
  return {first, first + rows.numel()};
}

}  // namespace

LinearPart LinearPart::with_equal_weights(std::shared_ptr<const linear::LinearModel> model) {
  const double share = 1.0 / static_cast<double>(model->members().size() + 1);
  LinearPart part{.model = std::move(model), .pool = {.coefficients = {share}}};
  for (const auto& own : part.model->calibrations()) {
    part.pool.coefficients.push_back(share * own.sharpness);
    part.pool.bias += share * own.bias;
  }
  return part;
}

void LinearPart::save(const std::filesystem::path& file) const {
  const auto& table = model->table();
  const auto columns = table.size();
  nn::ParameterMap tensors;
  // Signed, since the format of tensors that is read here has no unsigned type of 64 bits.
  const std::vector<std::int64_t> keys(table.keys().begin(), table.keys().end());
  tensors["keys"] = tensor_of(keys, at::kLong, {columns});
  tensors["pool"] = tensor_of(pool.coefficients, at::kDouble, {std::ssize(pool.coefficients)});
  std::vector<double> sharpness, biases = {pool.bias};
  for (const auto& own : model->calibrations()) {
    sharpness.push_back(own.sharpness);
    biases.push_back(own.bias);
  }
  tensors["sharpness"] = tensor_of(sharpness, at::kDouble, {std::ssize(sharpness)});
  if (std::ranges::any_of(biases, [](double bias) { return bias != 0; })) {
    tensors[kBiases] = tensor_of(biases, at::kDouble, {std::ssize(biases)});
  }
  base::ConfigTree config;
  config.write_section("text", table.text_config());
  config.write_section("ngrams", table.config());
  for (const auto& member : model->members()) {
    const std::string name = base::word_of(member.config.weighting);
    config.write_section(name, member.config);
    tensors[name + ".scale"] = tensor_of(member.scale, at::kFloat, {columns});
    tensors[name + ".weights"] =
        tensor_of(member.weights, at::kBFloat16, {columns, member.classes});
    tensors[name + ".bias"] = tensor_of(member.bias, at::kFloat, {member.classes});
  }
  nn::save_tensors(file, tensors, {{kConfigKey, config.without_folders().to_json(-1)}});
}

LinearPart LinearPart::load(const std::filesystem::path& file, std::int64_t classes) {
  const auto content = nn::load_tensors(file);
  const Tensors tensors(content.tensors, file);
  const auto json = content.metadata.find(kConfigKey);
  if (json == content.metadata.end()) tensors.fail("has no configuration in its metadata");
  const auto config = base::ConfigTree::from_json(json->second, file.string());
  text::TokenizerConfig text;
  linear::NgramConfig ngrams;
  config.read_section("text", text);
  config.read_section("ngrams", ngrams);
  const auto columns = tensors.length("keys");
  const auto keys = tensors.take<std::int64_t>("keys", at::kLong, {columns});
  std::vector<linear::LinearMember> members;
  for (const auto* name : base::kWords<linear::Weighting>) {
    if (!config.contains(name)) continue;
    linear::LinearMember member{.config = {}, .classes = classes};
    config.read_section(name, member.config);
    const std::string prefix = name;
    member.scale = tensors.take<float>(prefix + ".scale", at::kFloat, {columns});
    member.weights =
        tensors.take<std::uint16_t>(prefix + ".weights", at::kBFloat16, {columns, classes});
    member.bias = tensors.take<float>(prefix + ".bias", at::kFloat, {classes});
    members.push_back(std::move(member));
  }
  const auto count = std::ssize(members);
  linear::Pool pool{.coefficients = tensors.take<double>("pool", at::kDouble, {count + 1})};
  std::vector<linear::Calibration> calibrations;
  for (const auto sharpness : tensors.take<double>("sharpness", at::kDouble, {count})) {
    calibrations.push_back({.sharpness = sharpness});
  }
  if (tensors.length(kBiases) > 0) {
    const auto biases = tensors.take<double>(kBiases, at::kDouble, {count + 1});
    pool.bias = biases.front();
    for (std::size_t k = 0; k < calibrations.size(); ++k) calibrations[k].bias = biases[k + 1];
  }
  return {.model = std::make_shared<linear::LinearModel>(
              linear::NgramTable(ngrams, text, {keys.begin(), keys.end()}), std::move(members),
              std::move(calibrations)),
          .pool = std::move(pool)};
}

MemberScores member_scores(const at::Tensor& network, const linear::LinearModel* linear,
                           const data::TokenBatch& ngrams) {
  MemberScores scores = {doubles(network)};
  if (linear == nullptr) return scores;
  scores.resize(linear->members().size() + 1);
  for (std::int64_t row = 0; row < ngrams.size(); ++row) {
    const auto of_row = linear->scores(ngrams.sequence(row));
    for (std::size_t k = 0; k < of_row.size(); ++k) {
      scores[k + 1].insert(scores[k + 1].end(), of_row[k].begin(), of_row[k].end());
    }
  }
  return scores;
}

}  // namespace fastformer::classification

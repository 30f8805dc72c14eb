#include "fastformer/nn/parameter_store.h"

#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "fastformer/model/parameter_file.h"
#include "fastformer/model/stored_parameter.h"
#include "fastformer/nn/tensor_file.h"

namespace fastformer::nn {
namespace {

std::vector<std::string> names_of(const ParameterMap& parameters) {
  std::vector<std::string> names;
  for (const auto& entry : parameters) names.push_back(entry.first);
  return names;
}

// Every one of `values`, {name: ...}, is to be a parameter.
template <class Values>
void check_known(const Values& values, const ParameterMap& parameters, const std::string& source) {
  for (const auto& entry : values) {
    if (parameters.contains(entry.first)) continue;
    model::throw_unknown_parameter(entry.first, names_of(parameters), source);
  }
}

[[noreturn]] void throw_shape(const std::string& where, at::IntArrayRef found,
                              at::IntArrayRef expected) {
  const auto text = [](at::IntArrayRef shape) { return (std::ostringstream() << shape).str(); };
  model::throw_other_shape(where, text(found), text(expected));
}

void check_type(const std::string& where, at::ScalarType found, at::ScalarType expected) {
  if (found == expected) return;
  throw std::invalid_argument(where + " holds " + c10::toString(found) +
                              " numbers, but the model expects " + c10::toString(expected));
}

class ModelFile final : public ParameterSource {
 public:
  explicit ModelFile(const std::filesystem::path& path) : file_(path) {}

  at::Tensor read(const std::string& name, const std::vector<std::int64_t>& shape,
                  at::ScalarType dtype) override {
    if (!file_.quantized_type(name).empty() && dtype == at::kFloat) {
      const auto values =
          model::StoredParameter(
              file_, name, shape,
              name.starts_with("embedding.") ? model::StoredRows::kSome : model::StoredRows::kAll)
              .values();
      auto tensor = at::empty(shape, at::TensorOptions().dtype(dtype));
      std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<float>());
      return tensor;
    }
    const auto& view = file_.take(name, shape);
    const auto where = file_.where(name);
    auto tensor = to_tensor(view, where);
    check_type(where, tensor.scalar_type(), dtype);
    check_finite(tensor, where);
    return tensor;
  }
  void finish(const ParameterMap& /*parameters*/) override { file_.finish(); }

 private:
  model::ParameterFile file_;
};

constexpr std::array<std::string_view, 3> kEmbeddingTables = {"embedding.", "target_embedding.",
                                                              "pretrained.embeddings."};

}  // namespace

ParameterStore::ParameterStore(std::uint64_t seed, at::ScalarType dtype, double deviation)
    : generator_(at::detail::createCPUGenerator(seed)), dtype_(dtype), deviation_(deviation) {}

ParameterStore ParameterStore::from_file(const std::filesystem::path& path, at::ScalarType dtype) {
  ParameterStore store(/*seed=*/0, dtype);
  store.read_from("", std::make_shared<ModelFile>(path));
  return store;
}

ParameterStore ParameterStore::without_values(at::ScalarType dtype) {
  ParameterStore store(/*seed=*/0, dtype);
  store.device_ = at::kMeta;
  return store;
}

void ParameterStore::read_from(std::string prefix, std::shared_ptr<ParameterSource> source) {
  sources_.emplace_back(std::move(prefix), std::move(source));
}

void ParameterStore::finish() {
  for (const auto& [prefix, source] : sources_) {
    ParameterMap own;
    for (const auto& [name, tensor] : parameters_) {
      if (name.starts_with(prefix)) own.emplace(name.substr(prefix.size()), tensor);
    }
    source->finish(own);
  }
  sources_.clear();
}

at::Tensor ParameterStore::create(const std::string& name, const std::vector<std::int64_t>& shape,
                                  const std::function<void(at::Tensor&)>& initialize) {
  const auto known = parameters_.find(name);
  if (known != parameters_.end()) return known->second;
  const auto source = std::ranges::find_if(
      sources_, [&](const auto& entry) { return name.starts_with(entry.first); });
  at::Tensor tensor;
  if (source != sources_.end()) {
    tensor = source->second->read(name.substr(source->first.size()), shape, dtype_);
  } else {
    tensor = at::empty(shape, at::TensorOptions().dtype(dtype_).device(device_));
    if (device_ != at::kMeta) initialize(tensor);
  }
  parameters_[name] = tensor;
  return tensor.requires_grad_(true);
}

at::Tensor ParameterStore::normal(const std::string& name, const std::vector<std::int64_t>& shape,
                                  double deviation) {
  return create(name, shape,
                [&](at::Tensor& tensor) { tensor.normal_(0.0, deviation, generator_); });
}

at::Tensor ParameterStore::constant(const std::string& name, const std::vector<std::int64_t>& shape,
                                    double value) {
  return create(name, shape, [&](at::Tensor& tensor) { tensor.fill_(value); });
}

void assign(const ParameterMap& parameters, const ParameterMap& values, const std::string& source) {
  check_known(values, parameters, source);
  for (const auto& [name, parameter] : parameters) {
    const auto value = values.find(name);
    if (value == values.end()) model::throw_missing_parameter(name, source);
    const auto where = source + ": the parameter '" + name + "'";
    if (value->second.sizes() != parameter.sizes()) {
      throw_shape(where, value->second.sizes(), parameter.sizes());
    }
    check_type(where, value->second.scalar_type(), parameter.scalar_type());
  }
  const c10::NoGradGuard no_gradients;
  for (const auto& [name, parameter] : parameters) {
    parameter.copy_(values.at(name));
  }
}

ParameterMap clone(const ParameterMap& parameters) {
  ParameterMap copies;
  for (const auto& [name, parameter] : parameters) copies[name] = parameter.detach().clone();
  return copies;
}

ParameterCount count_of(const ParameterMap& parameters) {
  ParameterCount count;
  for (const auto& [name, weight] : parameters) {
    const bool table = std::any_of(kEmbeddingTables.begin(), kEmbeddingTables.end(),
                                   [&](auto prefix) { return name.starts_with(prefix); });
    count.all += weight.numel();
    if (!table) count.outside_tables += weight.numel();
  }
  return count;
}

}  // namespace fastformer::nn

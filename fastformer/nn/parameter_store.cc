#include "fastformer/nn/parameter_store.h"

#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "fastformer/base/format.h"

namespace fastformer::nn {
namespace {

std::string shape_text(const at::Tensor& tensor) {
  std::ostringstream out;
  out << tensor.sizes();
  return out.str();
}

std::vector<std::string> names_of(const ParameterMap& parameters) {
  std::vector<std::string> names;
  for (const auto& entry : parameters) names.push_back(entry.first);
  return names;
}

constexpr std::array<std::string_view, 3> kEmbeddingTables = {"embedding.", "target_embedding.",
                                                              "pretrained.embeddings."};

}  // namespace

ParameterStore::ParameterStore(std::uint64_t seed, at::ScalarType dtype, double deviation)
    : generator_(at::detail::createCPUGenerator(seed)), dtype_(dtype), deviation_(deviation) {}

at::Tensor ParameterStore::create(const std::string& name, const std::vector<std::int64_t>& shape) {
  auto tensor = at::empty(shape, at::TensorOptions().dtype(dtype_));
  parameters_[name] = tensor;
  return tensor;
}

at::Tensor ParameterStore::normal(const std::string& name, const std::vector<std::int64_t>& shape,
                                  double deviation) {
  const auto known = parameters_.find(name);
  if (known != parameters_.end()) return known->second;
  auto tensor = create(name, shape);
  tensor.normal_(0.0, deviation, generator_);
  return tensor.requires_grad_(true);
}

at::Tensor ParameterStore::constant(const std::string& name, const std::vector<std::int64_t>& shape,
                                    double value) {
  const auto known = parameters_.find(name);
  if (known != parameters_.end()) return known->second;
  auto tensor = create(name, shape);
  tensor.fill_(value);
  return tensor.requires_grad_(true);
}

void assign(const ParameterMap& parameters, const ParameterMap& values, const std::string& source) {
  for (const auto& entry : values) {
    if (!parameters.contains(entry.first)) {
      throw std::invalid_argument(source + ": the model has no parameter '" + entry.first + "'" +
                                  base::suggestion(entry.first, names_of(parameters)));
    }
  }
  for (const auto& [name, parameter] : parameters) {
    const auto value = values.find(name);
    if (value == values.end()) {
      throw std::invalid_argument(source + ": the parameter '" + name + "' is missing");
    }
    if (value->second.sizes() != parameter.sizes()) {
      throw std::invalid_argument(source + ": the parameter '" + name + "' has the shape " +
                                  shape_text(value->second) + ", the model expects " +
                                  shape_text(parameter));
    }
    if (value->second.scalar_type() != parameter.scalar_type()) {
      throw std::invalid_argument(source + ": the parameter '" + name + "' holds " +
                                  c10::toString(value->second.scalar_type()) +
                                  " numbers, the model expects " +
                                  c10::toString(parameter.scalar_type()));
    }
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

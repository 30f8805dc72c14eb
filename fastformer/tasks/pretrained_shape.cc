#include "fastformer/tasks/pretrained_shape.h"

#include <array>
#include <stdexcept>
#include <utility>

namespace fastformer::tasks {
namespace {

using kernels::Activation;

constexpr std::array<std::pair<const char*, Activation>, 3> kActivations = {
    {{"gelu", Activation::kGelu},
     {"gelu_tanh", Activation::kGeluTanh},
     {"relu", Activation::kRelu}}};

}  // namespace

PretrainedShape::PretrainedShape(const nn::BertConfig& config) : bert_(config) {
  for (const auto& [name, activation] : kActivations) {
    if (activation == config.activation) activation_ = name;
  }
}

nn::BertConfig PretrainedShape::config() const {
  auto config = bert_;
  for (const auto& [name, activation] : kActivations) {
    if (activation_ == name) config.activation = activation;
  }
  return config;
}

void PretrainedShape::validate() const {
  if (bert_.width % bert_.heads == 0) return;
  throw std::invalid_argument(
      "pretrained.width = " + std::to_string(bert_.width) +
      " must be a multiple of pretrained.heads = " + std::to_string(bert_.heads));
}

}  // namespace fastformer::tasks

#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/kernels/parallel.h"
#include "fastformer/model/encoder_config.h"
#include "fastformer/nn/mixers/mixer.h"
#include "support/parity_error.h"

/// A mixer against its definition: dense weights in plain ATen and double precision, one sequence
/// at a time, whose gradients are those of ATen.
namespace fastformer::nn {

using Lengths = std::vector<std::int64_t>;

/// Empty sequences first, last and between; sizes around those of vectors, tiles and blocks.
inline const Lengths kRaggedLengths = {0, 17, 1, 64, 0, 2, 300, 65, 130, 1, 0};

inline Lengths offsets_of(const Lengths& lengths) {
  Lengths offsets = {0};
  for (const auto length : lengths) offsets.push_back(offsets.back() + length);
  return offsets;
}

/// The rows of one sequence [n, d], and the parameters by the names that follow the mixer's.
using Definition = std::function<at::Tensor(const at::Tensor& x, const ParameterMap& parameters)>;

/// y = x W^T + b with the parameters of that name.
inline at::Tensor apply_linear(const ParameterMap& parameters, const std::string& name,
                               const at::Tensor& x) {
  return at::linear(x, parameters.at(name + ".weight"), parameters.at(name + ".bias"));
}

/// [n, d] -> [h, n, e] and back.
inline at::Tensor split_heads(const at::Tensor& x, std::int64_t heads) {
  return x.view({x.size(0), heads, x.size(1) / heads}).transpose(0, 1);
}
inline at::Tensor join_heads(const at::Tensor& x) {
  return x.transpose(0, 1).reshape({x.size(1), x.size(0) * x.size(2)});
}

/// What a batch gives: the output, and gradients of a loss that weights each output differently.
struct Outcome {
  at::Tensor y;
  ParameterMap gradients;  // "x" and the parameters
};

inline Outcome outcome(const at::Tensor& x, const at::Tensor& y, const ParameterMap& parameters) {
  const auto weights = at::arange(y.numel(), at::kDouble).mul_(0.37).sin_().add_(1).view_as(y);
  (y * weights.to(y.scalar_type())).sum().backward();
  Outcome result{y.detach(), {{"x", x.grad()}}};
  for (const auto& [name, parameter] : parameters) {
    const auto& gradient = parameter.grad();
    result.gradients[name] = gradient.defined() ? gradient : at::zeros_like(parameter);
  }
  return result;
}

using MakeMixer =
    std::function<std::unique_ptr<Mixer>(ParameterStore& store, const std::string& name)>;

/// The mixer that a configuration names.
inline MakeMixer configured_mixer(const model::EncoderConfig& config) {
  return [config](ParameterStore& store, const std::string& name) {
    config.validate();
    return make_mixer(config.mixer, config.mixer_shape(), store, name);
  };
}

/// A mixer named "encoder.layers.0.attention" with random parameters, biases too, and its input.
class MixerCase {
 public:
  static constexpr const char* kName = "encoder.layers.0.attention";

  MixerCase(const model::EncoderConfig& config, const Lengths& lengths, at::ScalarType dtype)
      : MixerCase(configured_mixer(config), config.width, lengths, dtype) {}
  MixerCase(const MakeMixer& make, std::int64_t width, const Lengths& lengths, at::ScalarType dtype)
      : offsets(offsets_of(lengths)), lengths_(lengths), store_(7, dtype) {
    mixer = make(store_, kName);
    auto generator = at::detail::createCPUGenerator(11);
    const c10::NoGradGuard no_gradients;
    for (const auto& [name, parameter] : store_.parameters()) {
      const auto columns = static_cast<double>(parameter.dim() > 1 ? parameter.size(-1) : 1);
      parameter.normal_(0, 1 / std::sqrt(columns), generator);
    }
    x = at::empty({offsets.back(), width}, at::TensorOptions().dtype(dtype));
    x.normal_(0, 1, generator);
  }

  at::Tensor forward(const at::Tensor& input) const {
    return mixer->forward(input, Offsets(offsets), nullptr);
  }

  Outcome run() const {
    for (const auto& [name, parameter] : store_.parameters()) parameter.mutable_grad().reset();
    const auto input = x.detach().clone().requires_grad_(true);
    return outcome(input, forward(input), store_.parameters());
  }

  Outcome expected(const Definition& definition) const {
    ParameterMap parameters, by_suffix;
    for (const auto& [name, parameter] : store_.parameters()) {
      parameters[name] = parameter.detach().to(at::kDouble).clone().requires_grad_(true);
      const std::string prefix = std::string(kName) + ".";
      by_suffix[name.starts_with(prefix) ? name.substr(prefix.size()) : name] = parameters[name];
    }
    const auto input = x.detach().to(at::kDouble).clone().requires_grad_(true);
    std::vector<at::Tensor> outputs;
    for (std::size_t b = 0; b < lengths_.size(); ++b) {
      outputs.push_back(definition(input.narrow(0, offsets[b], lengths_[b]), by_suffix));
    }
    return outcome(input, at::cat(outputs), parameters);
  }

  const ParameterMap& parameters() const { return store_.parameters(); }

  const Lengths offsets;
  std::unique_ptr<Mixer> mixer;
  at::Tensor x;

 private:
  Lengths lengths_;
  ParameterStore store_;
};

using testing::largest;

/// The largest difference over the largest value expected, or over `scale` if that is larger.
inline double difference(const at::Tensor& actual, const at::Tensor& expected, double scale = 0) {
  if (actual.sizes() != expected.sizes()) return std::numeric_limits<double>::infinity();
  const auto distance = largest(actual.to(at::kDouble) - expected.to(at::kDouble));
  return distance == 0 ? 0 : distance / std::max(scale, largest(expected));
}

/// What a gradient is measured against besides its own largest value. The gradients of tokens may
/// cancel in that of a bias, which is then small beside that of its weights; and all of it may
/// cancel, as where a softmax has one choice.
inline double gradient_scale(const ParameterMap& gradients, const std::string& name) {
  double overall = 0;
  for (const auto& [other, gradient] : gradients) overall = std::max(overall, largest(gradient));
  const auto end = name.find(".bias");
  const auto own = end == std::string::npos ? name : name.substr(0, end) + ".weight";
  const auto scale = largest(gradients.at(own));
  return scale < 1e-12 * overall ? overall : scale;
}

/// Output and gradients of all parameters, in double to 1e-10 and in float to 1e-5.
inline void expect_definition(const MakeMixer& make, std::int64_t width, const Lengths& lengths,
                              const Definition& definition) {
  for (const auto dtype : {at::kDouble, at::kFloat}) {
    const MixerCase test(make, width, lengths, dtype);
    const auto actual = test.run(), expected = test.expected(definition);
    const double tolerance = dtype == at::kDouble ? 1e-10 : 1e-5;
    EXPECT_LE(difference(actual.y, expected.y), tolerance) << dtype;
    for (const auto& [name, gradient] : expected.gradients) {
      const auto scale = gradient_scale(expected.gradients, name);
      EXPECT_LE(difference(actual.gradients.at(name), gradient, scale), tolerance)
          << name << " " << dtype;
    }
  }
}

inline void expect_definition(const model::EncoderConfig& config, const Lengths& lengths,
                              const Definition& definition) {
  expect_definition(configured_mixer(config), config.width, lengths, definition);
}

/// A second run gives the same bits; and the rows of a sequence, their gradients too, do not depend
/// on what the other sequences hold. In a scope, as models run: with several threads MKL rounds
/// differently each time.
inline void expect_repeatable_and_apart(const model::EncoderConfig& config,
                                        const Lengths& lengths) {
  const kernels::ComputeScope scope(kernels::Precision::kFp32);
  const MixerCase test(config, lengths, at::kFloat);
  const auto first = test.run(), second = test.run();
  EXPECT_TRUE(at::equal(first.y, second.y));
  for (const auto& [name, gradient] : first.gradients) {
    EXPECT_TRUE(at::equal(gradient, second.gradients.at(name))) << name;
  }
  for (std::size_t b = 0; b < lengths.size(); ++b) {
    const auto changed = test.x.clone();
    changed.narrow(0, test.offsets[b], lengths[b]).mul_(-3).add_(1);
    const auto input = changed.requires_grad_(true);
    const auto other = outcome(input, test.forward(input), {});
    for (std::size_t c = 0; c < lengths.size(); ++c) {
      if (c == b) continue;
      const auto rows = [&](const at::Tensor& tensor) {
        return tensor.narrow(0, test.offsets[c], lengths[c]);
      };
      EXPECT_TRUE(at::equal(rows(first.y), rows(other.y))) << b << " reaches " << c;
      EXPECT_TRUE(at::equal(rows(first.gradients.at("x")), rows(other.gradients.at("x"))));
    }
  }
}

}  // namespace fastformer::nn

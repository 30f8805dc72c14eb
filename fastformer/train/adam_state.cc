// What Adam reads from outside: its configuration and its saved state.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "fastformer/base/suggest.h"
#include "fastformer/train/adam.h"
#include "fastformer/train/adam_checks.h"

namespace fastformer::train {
namespace {

void check_range(const char* name, double value, bool accepted, const char* expected) {
  if (!accepted) {
    throw std::invalid_argument("AdamConfig: " + std::string(name) + " is " +
                                std::to_string(value) + "; expected " + expected);
  }
}

using Tensors = std::map<std::string, at::Tensor>;

const at::Tensor& tensor_named(const Tensors& state, const std::string& name) {
  const auto found = state.find(name);
  if (found == state.end()) {
    throw std::invalid_argument("Adam: the state has no tensor '" + name +
                                "'; it belongs to other parameters or is incomplete");
  }
  return found->second;
}

void check_names(const Tensors& state, const Tensors& expected) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : expected) names.push_back(name);
  for (const auto& [name, tensor] : state) {
    if (!expected.contains(name)) {
      throw std::invalid_argument("Adam: the state has a tensor '" + name +
                                  "' that belongs to no parameter" + base::suggestion(name, names));
    }
  }
}

std::vector<double> learning_rates_of(const Tensors& state) {
  const at::Tensor& step = tensor_named(state, "step");
  check_like("the state's 'step'", step, at::zeros({}, at::kLong));
  const auto count = step.item<std::int64_t>();
  if (count < 0) {
    throw std::invalid_argument("Adam: the state's 'step' is " + std::to_string(count) +
                                "; expected 0 or more");
  }
  const at::Tensor& rates = tensor_named(state, "learning_rates");
  check_like("the state's 'learning_rates'", rates, at::zeros({1}, at::kDouble).expand({count}));
  const at::Tensor contiguous = rates.contiguous();
  const double* values = contiguous.const_data_ptr<double>();
  return {values, values + count};
}

void check_last_steps(const std::string& name, const at::Tensor& last_step, std::int64_t steps) {
  if (last_step.numel() == 0) return;
  const auto smallest = last_step.min().item<std::int64_t>();
  const auto largest = last_step.max().item<std::int64_t>();
  if (smallest < 0 || largest > steps) {
    throw std::invalid_argument("Adam: the state's '" + name + "' goes from " +
                                std::to_string(smallest) + " to " + std::to_string(largest) +
                                "; expected 0 to the number of steps, " + std::to_string(steps));
  }
}

}  // namespace

void AdamConfig::validate() const {
  check_range("beta1", beta1, beta1 >= 0 && beta1 < 1, "at least 0 and below 1");
  check_range("beta2", beta2, beta2 >= 0 && beta2 < 1, "at least 0 and below 1");
  check_range("epsilon", epsilon, epsilon > 0 && std::isfinite(epsilon), "a number above 0");
  check_range("weight_decay", weight_decay, weight_decay >= 0 && std::isfinite(weight_decay),
              "a number of 0 or more");
}

// Aliases of what the parameters hold, without `step` and `learning_rates`.
std::map<std::string, at::Tensor> Adam::state_tensors() const {
  Tensors result;
  for (const auto& [name, parameter] : parameters_) {
    result[name + ".first_moment"] = parameter.first_moment;
    result[name + ".second_moment"] = parameter.second_moment;
    if (parameter.row_sparse()) result[name + ".last_step"] = parameter.last_step;
  }
  return result;
}

std::map<std::string, at::Tensor> Adam::state() const {
  Tensors result;
  for (const auto& [name, tensor] : state_tensors()) result[name] = tensor.clone();
  result["step"] = at::scalar_tensor(steps(), at::kLong);
  at::Tensor history = at::empty({steps()}, at::kDouble);
  std::copy(learning_rates_.begin(), learning_rates_.end(), history.mutable_data_ptr<double>());
  result["learning_rates"] = std::move(history);
  return result;
}

void Adam::load_state(const std::map<std::string, at::Tensor>& state) {
  Tensors own = state_tensors();
  const std::vector<double> rates = learning_rates_of(state);
  for (const double rate : rates) check_rate(rate);
  for (const auto& [name, tensor] : own) {
    const at::Tensor& value = tensor_named(state, name);
    check_like("the state's '" + name + "'", value, tensor);
    if (name.ends_with(".last_step")) {
      check_last_steps(name, value, static_cast<std::int64_t>(rates.size()));
    }
  }
  Tensors expected = own;
  expected["step"] = expected["learning_rates"] = at::Tensor();
  check_names(state, expected);

  for (auto& [name, tensor] : own) tensor.copy_(state.at(name));
  for (auto& [pace, history] : histories_) history.clear();
  learning_rates_.clear();
  for (const double rate : rates) append(rate);
}

}  // namespace fastformer::train

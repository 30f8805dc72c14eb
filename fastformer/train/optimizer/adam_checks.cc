#include "fastformer/train/optimizer/adam_checks.h"

#include <cmath>
#include <cstdint>
#include <sstream>
#include <stdexcept>

#include "fastformer/base/format.h"

namespace fastformer::train {
namespace {

std::string describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "nothing";
  std::ostringstream text;
  text << at::toString(tensor.scalar_type()) << " " << tensor.sizes() << " on " << tensor.device();
  return text.str();
}

[[noreturn]] void refuse(const std::string& what, const at::Tensor& value,
                         const std::string& expected) {
  throw std::invalid_argument("Adam: " + what + " is " + describe(value) + "; expected " +
                              expected);
}

}  // namespace

void check_parameter(const std::string& name, const at::Tensor& weight, bool row_sparse) {
  const bool accepted = weight.defined() && weight.device().is_cpu() &&
                        weight.layout() == at::kStrided && weight.is_contiguous() &&
                        (weight.scalar_type() == at::kFloat || weight.scalar_type() == at::kDouble);
  if (!accepted) {
    refuse("the parameter '" + name + "'", weight,
           "a contiguous float32 or float64 tensor on the CPU");
  }
  if (row_sparse && weight.dim() != 2) {
    refuse("the row-sparse parameter '" + name + "'", weight, "a table of two dimensions");
  }
}

void check_factor(const std::string& name, double factor) {
  if (std::isfinite(factor) && factor >= 0) return;
  throw std::invalid_argument("Adam: the learning rate of '" + name + "' has the factor " +
                              std::to_string(factor) + "; expected a finite number of 0 or more");
}

void check_rows(const std::string& name, const at::Tensor& weight, const at::Tensor& rows) {
  const bool accepted = rows.defined() && rows.device().is_cpu() &&
                        rows.scalar_type() == at::kLong && rows.dim() == 1;
  if (!accepted) refuse("the list of rows of '" + name + "'", rows, "int64 [R] on the CPU");
  const at::Tensor contiguous = rows.contiguous();
  const std::int64_t* values = contiguous.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < contiguous.numel(); ++i) {
    if (values[i] < 0 || values[i] >= weight.size(0)) {
      throw std::invalid_argument("Adam: row " + std::to_string(values[i]) + " of '" + name +
                                  "' does not exist; expected 0 to " +
                                  std::to_string(weight.size(0) - 1));
    }
  }
}

void check_gradient(const std::string& name, const at::Tensor& weight, bool row_sparse,
                    const Gradient& gradient) {
  const bool has_rows = gradient.rows.defined() || gradient.row_values.defined();
  if (gradient.dense.defined()) {
    if (has_rows) {
      throw std::invalid_argument("Adam: the gradient of '" + name +
                                  "' is given both dense and as rows; expected one of the two");
    }
    check_like("the gradient of '" + name + "'", gradient.dense, weight);
    return;
  }
  if (!has_rows) return;
  if (!row_sparse) {
    throw std::invalid_argument("Adam: the gradient of '" + name +
                                "' is given as rows, but the parameter is not row-sparse; give a "
                                "dense gradient or name the parameter in row_sparse");
  }
  check_rows(name, weight, gradient.rows);
  check_like("the rows' gradient of '" + name + "'", gradient.row_values,
             at::empty({1}, weight.options()).expand({gradient.rows.numel(), weight.size(1)}));
  const at::Tensor rows = gradient.rows.contiguous();
  const std::int64_t* values = rows.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 1; i < rows.numel(); ++i) {
    if (values[i] <= values[i - 1]) {
      throw std::invalid_argument("Adam: the rows of the gradient of '" + name + "' go from " +
                                  std::to_string(values[i - 1]) + " to " +
                                  std::to_string(values[i]) +
                                  "; expected ascending rows without duplicates");
    }
  }
}

void check_like(const std::string& what, const at::Tensor& value, const at::Tensor& expected) {
  const bool accepted =
      value.defined() && value.device() == expected.device() && value.layout() == at::kStrided &&
      value.scalar_type() == expected.scalar_type() && value.sizes() == expected.sizes();
  if (!accepted) refuse(what, value, describe(expected));
}

const at::Tensor& tensor_named(const nn::ParameterMap& state, const std::string& name) {
  const auto found = state.find(name);
  if (found == state.end()) {
    throw std::invalid_argument("Adam: the state has no tensor '" + name +
                                "'; it belongs to other parameters or is incomplete");
  }
  return found->second;
}

void check_names(const nn::ParameterMap& state, const nn::ParameterMap& expected) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : expected) names.push_back(name);
  for (const auto& [name, tensor] : state) {
    if (!expected.contains(name)) {
      throw std::invalid_argument("Adam: the state has a tensor '" + name +
                                  "' that belongs to no parameter" + base::suggestion(name, names));
    }
  }
}

std::vector<double> learning_rates_of(const nn::ParameterMap& state) {
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

}  // namespace fastformer::train

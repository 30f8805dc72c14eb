#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/nn/parameter_store.h"
#include "fastformer/train/optimizer/gradient.h"

namespace fastformer::train {

/// Checks of Adam's arguments. Each throws std::invalid_argument with a sentence that names the
/// parameter.

/// `weight` must be a contiguous float32 or float64 CPU tensor, with two dimensions if row-sparse.
void check_parameter(const std::string& name, const at::Tensor& weight, bool row_sparse);

/// `factor` must be finite and at least 0; `rows` must be rows of `weight`: int64 [R] on the CPU.
void check_factor(const std::string& name, double factor);
void check_rows(const std::string& name, const at::Tensor& weight, const at::Tensor& rows);

/// The gradient must have type and shape of `weight`; ascending rows are allowed if row-sparse.
void check_gradient(const std::string& name, const at::Tensor& weight, bool row_sparse,
                    const Gradient& gradient);

/// `value` must have the type, shape and device of `expected`; `what` names it in messages.
void check_like(const std::string& what, const at::Tensor& value, const at::Tensor& expected);

/// The tensor `name` of a saved state. Throws std::invalid_argument if it is missing.
const at::Tensor& tensor_named(const nn::ParameterMap& state, const std::string& name);
/// `state` must have no names that `expected` lacks.
void check_names(const nn::ParameterMap& state, const nn::ParameterMap& expected);
/// `last_step`, the step at which each row last changed, must be between 0 and `steps`.
void check_last_steps(const std::string& name, const at::Tensor& last_step, std::int64_t steps);
/// The learning rates of a saved state, one for each step.
std::vector<double> learning_rates_of(const nn::ParameterMap& state);

}  // namespace fastformer::train

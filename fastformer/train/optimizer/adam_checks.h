#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/nn/parameter_store.h"
#include "fastformer/train/optimizer/gradient.h"

namespace fastformer::train {

/// Checks of Adam's arguments; each throws std::invalid_argument with a sentence that names the
/// parameter.

/// A contiguous float32 or float64 CPU tensor, of two dimensions if row-sparse.
void check_parameter(const std::string& name, const at::Tensor& weight, bool row_sparse);

/// Rows of the table `weight`: int64, [R], on the CPU and in range.
void check_factor(const std::string& name, double factor);
void check_rows(const std::string& name, const at::Tensor& weight, const at::Tensor& rows);

/// A gradient of the parameter's type and shape; rows only if it is row-sparse, and rising.
void check_gradient(const std::string& name, const at::Tensor& weight, bool row_sparse,
                    const Gradient& gradient);

/// `value` has the type, shape and place of `expected`; `what` says what it is.
void check_like(const std::string& what, const at::Tensor& value, const at::Tensor& expected);

/// The tensor of a saved state.
const at::Tensor& tensor_named(const nn::ParameterMap& state, const std::string& name);
/// `state` has no other names than `expected`.
void check_names(const nn::ParameterMap& state, const nn::ParameterMap& expected);
/// The numbers of steps in which rows were last changed are from 0 to `steps`.
void check_last_steps(const std::string& name, const at::Tensor& last_step, std::int64_t steps);
/// One for each step of a saved state.
std::vector<double> learning_rates_of(const nn::ParameterMap& state);

}  // namespace fastformer::train

#pragma once

#include <ATen/ATen.h>

#include <string>

#include "fastformer/train/gradient.h"

namespace fastformer::train {

/// What Adam accepts; each throws std::invalid_argument with a sentence that names the parameter.

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

}  // namespace fastformer::train

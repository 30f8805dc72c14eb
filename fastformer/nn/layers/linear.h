#pragma once

#include <ATen/ATen.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "fastformer/kernels/parallel.h"
#include "fastformer/nn/parameter_store.h"

namespace fastformer::nn {

/// y = x W^T + b on all threads, differentiable: x [T, k], weight [n, k] (or the transposed view of
/// a [k, n], which is used without a copy), bias [n] or undefined -> [T, n]. Float or double;
/// throws c10::Error if shapes or types disagree. The backward pass rounds as the forward pass did.
at::Tensor affine(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {},
                  kernels::Operands operands = kernels::Operands::kFloat);

/// y = x W^T + b for token rows x, with `<name>.weight` W [out, in] and `<name>.bias` b [out]. The
/// calling thread's scope (`kernels::ComputeScope`) sets the precision.
struct Linear {
  Linear() = default;
  Linear(ParameterStore& store, const std::string& name, std::int64_t in, std::int64_t out)
      : weight(store.normal(name + ".weight", {out, in})),
        bias(store.constant(name + ".bias", {out}, 0)) {}

  at::Tensor forward(const at::Tensor& x) const {
    return affine(x, weight, bias, kernels::token_operands());
  }
  explicit operator bool() const { return weight.defined(); }

  at::Tensor weight;
  at::Tensor bias;
};

/// Several linear layers on the same rows: x [T, k] -> x W^T + b [T, n] for each layer.
///
///   const auto parts = project(x, {query_, key_, value_});
///
/// They share one backward pass, in which each layer adds its part of the gradient of x in place,
/// without intermediate results of batch size. Precision as in `Linear`; throws c10::Error if
/// shapes or types disagree.
std::vector<at::Tensor> project(const at::Tensor& x, std::initializer_list<Linear> layers);

}  // namespace fastformer::nn

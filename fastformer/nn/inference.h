#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <utility>

#include "fastformer/kernels/options.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/nn/torch_errors.h"

namespace fastformer::nn {

/// Runs `action` of a facade with the options of its model and without gradients. LibTorch's
/// exceptions are converted by without_torch_errors().
template <class Guard = c10::NoGradGuard, class Action>
decltype(auto) infer(const Options& options, Action&& action) {
  return without_torch_errors([&]() -> decltype(auto) {
    const kernels::ComputeScope scope(options.precision, options.threads);
    const Guard no_gradients;
    return std::forward<Action>(action)();
  });
}

}  // namespace fastformer::nn

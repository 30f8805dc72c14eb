#pragma once

#include <c10/util/Exception.h>

#include <stdexcept>
#include <utility>

namespace fastformer::nn {

/// Runs `action` and converts LibTorch's exceptions to std::runtime_error with the same message, so
/// that callers of the facades can catch them without LibTorch's headers.
template <class Action>
decltype(auto) without_torch_errors(Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (const c10::Error& error) {
    throw std::runtime_error(error.what_without_backtrace());
  }
}

}  // namespace fastformer::nn

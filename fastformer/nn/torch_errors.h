#pragma once

#include <c10/util/Exception.h>

#include <stdexcept>
#include <utility>

namespace fastformer::nn {

/// Runs `action` and turns LibTorch's exceptions into std::runtime_error with their one sentence,
/// so that callers of the facades need no header of LibTorch to catch them.
template <class Action>
decltype(auto) without_torch_errors(Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (const c10::Error& error) {
    throw std::runtime_error(error.what_without_backtrace());
  }
}

}  // namespace fastformer::nn

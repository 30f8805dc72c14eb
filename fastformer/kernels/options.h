#pragma once

#include <cstdint>

#include "fastformer/kernels/precision.h"

namespace fastformer {

/// Settings for running a loaded model. Each model has its own.
struct Options {
  int threads = 0;  ///< CPU cores to use; 0: all that the process may use
  kernels::Precision precision = kernels::Precision::kFp32;  ///< of matrix products
  std::int64_t max_batch_tokens = 16'384;  ///< batch size for several texts in one call, in tokens
};

}  // namespace fastformer

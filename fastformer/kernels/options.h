#pragma once

#include <cstdint>

#include "fastformer/kernels/precision.h"

namespace fastformer {

/// How a loaded model computes. A model keeps its own options: two models of one process can have
/// different ones.
struct Options {
  int threads = 0;  ///< processor cores to use; 0: all that the process may use
  kernels::Precision precision = kernels::Precision::kFp32;  ///< of matrix products
  std::int64_t max_batch_tokens = 16'384;  ///< texts in one call are computed in batches of so many
};

}  // namespace fastformer

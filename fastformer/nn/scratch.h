#pragma once

#include <cstdint>
#include <vector>

namespace fastformer::nn {

/// Memory of the calling thread that stays with it, so that no call allocates once it has grown.
/// What it holds lasts until the thread asks again.
template <class Real>
Real* scratch_of(std::int64_t size) {
  thread_local std::vector<Real> scratch;
  if (static_cast<std::int64_t>(scratch.size()) < size) scratch.resize(size);
  return scratch.data();
}

}  // namespace fastformer::nn

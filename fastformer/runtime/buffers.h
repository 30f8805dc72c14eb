#pragma once

#include <cstdint>
#include <vector>

namespace fastformer::runtime {

/// A buffer of at least `size` numbers. A thread keeps its buffers for the next batch.
inline float* sized(std::vector<float>& buffer, std::int64_t size) {
  if (std::ssize(buffer) < size) buffer.resize(static_cast<std::size_t>(size));
  return buffer.data();
}

/// Frees a buffer that one very long text has made large.
inline void release_if_large(std::vector<float>& buffer) {
  constexpr std::int64_t kKept = std::int64_t{1} << 23;
  if (std::ssize(buffer) > kKept) std::vector<float>().swap(buffer);
}

}  // namespace fastformer::runtime

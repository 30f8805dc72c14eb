#pragma once

#include <cstdint>

namespace fastformer::kernels {

/// Hands out pieces of the caller's scratch, each from a cache line on: `kCacheLine` elements more
/// than the pieces have are enough for any number type, for each of them.
template <class Real>
class Scratch {
 public:
  static constexpr std::int64_t kCacheLine = 64;

  explicit Scratch(Real* data) : next_(reinterpret_cast<std::uintptr_t>(data)) {}

  Real* take(std::int64_t count) {
    next_ = (next_ + kCacheLine - 1) / kCacheLine * kCacheLine;
    auto* taken = reinterpret_cast<Real*>(next_);
    next_ += static_cast<std::uintptr_t>(count) * sizeof(Real);
    return taken;
  }

 private:
  std::uintptr_t next_;
};

}  // namespace fastformer::kernels

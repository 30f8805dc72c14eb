#pragma once

#include <cstdint>

namespace fastformer::nn {

/// Counts the bytes of tensors that are alive in this process, from its construction on; one at a
/// time. The allocator that was in use gives the memory and comes back in the end.
///
///   MemoryMeter meter;
///   model.forward(x);
///   meter.peak();  // the most that was alive at once, beyond what was there before
///
/// Tensors may outlive the meter.
class MemoryMeter {
 public:
  MemoryMeter();
  ~MemoryMeter();
  MemoryMeter(const MemoryMeter&) = delete;
  MemoryMeter& operator=(const MemoryMeter&) = delete;

  std::int64_t alive() const;
  std::int64_t peak() const;
  /// Counts the peak anew from what is alive now.
  void forget_peak();
};

}  // namespace fastformer::nn

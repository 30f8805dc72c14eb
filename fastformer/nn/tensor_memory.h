#pragma once

#include <cstdint>

namespace fastformer::nn {

/// Lets the process keep the memory that it has freed. A training step asks for the same large
/// blocks again and again, and the pages of a block that the system hands out anew cost more time
/// than the products computed in it. Large tensors come from a `base::Arena`, the C library (glibc)
/// gives nothing back before a gigabyte is free. For programs, called once at their start, before
/// any tensor or thread.
void keep_freed_memory();

/// Counts the bytes of the tensors of this process that are alive, from its construction on; one
/// meter at a time. The memory comes from the allocator that was in use, which the destructor puts
/// back.
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
  /// The peak becomes what is alive now.
  void forget_peak();
};

}  // namespace fastformer::nn

#pragma once

#include <cstdint>

namespace fastformer::nn {

/// Makes the process keep freed memory. A training step requests the same large blocks again and
/// again, and new pages from the system cost more time than the products computed in them. Large
/// tensors come from a `base::Arena`; the C library (glibc) returns no memory until a gigabyte is
/// free. For programs: call it once at the start, before any tensor or thread exists.
void keep_freed_memory();

/// Counts the bytes of live tensors of this process, from its construction on; one meter at a time.
/// The memory comes from the previous allocator, which the destructor restores.
///
///   MemoryMeter meter;
///   model.forward(x);
///   meter.peak();  // largest number of live bytes, beyond those before the construction
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
  /// Sets the peak to the live bytes.
  void forget_peak();
};

}  // namespace fastformer::nn

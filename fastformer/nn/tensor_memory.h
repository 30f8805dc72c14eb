#pragma once

#include <cstdint>

namespace fastformer::nn {

/// Makes the process keep freed memory. Training steps request the same large blocks again and
/// again, and new pages from the system take more time than the products computed in them. Large
/// tensors are allocated from a `base::Arena`; the C library (glibc) returns no memory until a
/// gigabyte is free. For programs: call it once at the start, before any tensor or thread exists.
void keep_freed_memory();

/// Counts the bytes of live tensors of the process from its construction on. Only one meter may
/// exist at a time. It uses the previous allocator, which the destructor restores.
///
///   MemoryMeter meter;
///   model.forward(x);
///   meter.peak();  // largest number of live bytes, not counting those before construction
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
  /// Sets the peak to the current number of live bytes.
  void forget_peak();
};

}  // namespace fastformer::nn

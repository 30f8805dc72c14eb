#pragma once

namespace fastformer::nn {

/// Lets the process keep the memory that it has freed. A training step asks for the same large
/// blocks again and again, and the pages of a block that the system hands out anew cost more time
/// than the products computed in it. Large tensors come from a `base::Arena`, the C library (glibc)
/// gives nothing back before a gigabyte is free. For programs, called once at their start, before
/// any tensor or thread.
void keep_freed_memory();

}  // namespace fastformer::nn

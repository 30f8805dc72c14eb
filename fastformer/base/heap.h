#pragma once

namespace fastformer::base {

/// Lets the process keep memory that it has freed instead of giving it back to the system at once,
/// and take large tensors in large pages. A training step asks for the same large blocks again and
/// again, and the pages of a block that the system hands out anew cost more time than the products
/// computed in it. For programs, called once at their start, before any tensor or thread; settings
/// of the C library (glibc) and of LibTorch on Linux, without effect elsewhere.
void keep_freed_memory();

}  // namespace fastformer::base

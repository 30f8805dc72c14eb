#include "fastformer/base/heap.h"

#include <cstdlib>  // __GLIBC__

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace fastformer::base {

void keep_freed_memory() {
#if defined(__GLIBC__)
  // The largest threshold that glibc takes: blocks above it always come straight from the system.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
#if defined(__linux__)
  // LibTorch then asks for pages of 2 MiB. What the user has set stays.
  setenv("THP_MEM_ALLOC_ENABLE", "1", /*replace=*/0);
#endif
}

}  // namespace fastformer::base

// Tells the thread sanitizer what it cannot see in libgomp, which is built without it: all that was
// written before a parallel region is there when it begins, all of the region when it is over.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

namespace {

using Body = void (*)(void*);

struct Region {
  Body body;
  void* data;
  // Two places, so that a thread that begins late does not come after one that is done already.
  char begin = 0, end = 0;
};

void run_between_edges(void* given) {
  auto* region = static_cast<Region*>(given);
  __tsan_acquire(&region->begin);
  region->body(region->data);
  __tsan_release(&region->end);
}

}  // namespace

// What GCC makes of `#pragma omp parallel`; it comes before that of libgomp.
extern "C" void GOMP_parallel(Body body, void* data, unsigned threads, unsigned flags) {
  using Parallel = void (*)(Body, void*, unsigned, unsigned);
  static const auto real = reinterpret_cast<Parallel>(dlsym(RTLD_NEXT, "GOMP_parallel"));
  Region region{body, data};
  __tsan_release(&region.begin);
  real(run_between_edges, &region, threads, flags);
  __tsan_acquire(&region.end);
}

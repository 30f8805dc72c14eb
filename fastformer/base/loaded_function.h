#pragma once

#include <dlfcn.h>

namespace fastformer::base {

/// A function of a library that the process has loaded, such as OpenMP's; null without it.
///
///   static auto* const set_threads = base::loaded_function<void(int)>("omp_set_num_threads");
template <class Function>
Function* loaded_function(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace fastformer::base

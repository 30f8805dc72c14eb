#include "fastformer/base/library_threads.h"

#include "fastformer/base/loaded_function.h"

namespace fastformer::base {
namespace {

// OpenMP's number of threads; null in a program without LibTorch.
struct OpenMp {
  int (*get)() = loaded_function<int()>("omp_get_max_threads");
  void (*set)(int) = loaded_function<void(int)>("omp_set_num_threads");
};

// MKL's; null with another BLAS. `set` is for the calling thread and returns the number before.
struct Mkl {
  int (*get)() = loaded_function<int()>("MKL_Get_Max_Threads");
  int (*set)(int) = loaded_function<int(int)>("MKL_Set_Num_Threads_Local");
};

const OpenMp& openmp() {
  static const OpenMp functions;
  return functions;
}

const Mkl& mkl() {
  static const Mkl functions;
  return functions;
}

// In its first operation on a thread, LibTorch lowers OpenMP's number of threads to MKL's, which
// counts cores. The number that is kept for later must be that one. A program without LibTorch
// keeps its own.
int openmp_threads() {
  static const bool has_torch = loaded_function<void(int)>("_ZN2at15set_num_threadsEi") != nullptr;
  thread_local bool lowered = false;
  if (!lowered && has_torch && mkl().get != nullptr) openmp().set(mkl().get());
  lowered = true;
  return openmp().get();
}

}  // namespace

OneLibraryThread::OneLibraryThread()
    : openmp_(openmp().set == nullptr ? 0 : openmp_threads()),
      blas_(mkl().set == nullptr ? 0 : mkl().set(1)) {
  if (openmp().set != nullptr) openmp().set(1);
}

OneLibraryThread::~OneLibraryThread() {
  if (mkl().set != nullptr) mkl().set(blas_);
  if (openmp().set != nullptr) openmp().set(openmp_);
}

}  // namespace fastformer::base

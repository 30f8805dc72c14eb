#pragma once

namespace fastformer::base {

/// Keeps the operations of LibTorch and its BLAS on the calling thread while the object exists, if
/// the process has loaded them. They would use the threads of OpenMP, which spin while they wait
/// and which every operation waits for: if another program occupies one of two cores, that takes up
/// to fifteen times as long as one thread.
class OneLibraryThread {
 public:
  OneLibraryThread();
  ~OneLibraryThread();
  OneLibraryThread(const OneLibraryThread&) = delete;
  OneLibraryThread& operator=(const OneLibraryThread&) = delete;

 private:
  int openmp_, blas_;  // the previous numbers of threads
};

}  // namespace fastformer::base

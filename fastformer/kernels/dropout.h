#pragma once

#include <cstdint>

namespace fastformer::kernels {

/// Which elements of an array dropout keeps (Srivastava et al. 2014): a function of the seed and of
/// the element's index (counter-based random numbers: Salmon et al. 2011). So the backward pass
/// evaluates it again instead of storing a mask, and threads may run in any order.
struct DropoutRule {
  std::uint64_t seed;
  double rate;  ///< fraction of elements set to zero, 0 <= rate < 1
};

/// out[i] = residual[i] + (kept(first + i) ? x[i] / (1 - rate) : 0) for the `count` elements from
/// index `first` on. A null residual counts as zeros; out may be x or residual. With the gradient
/// in place of x and a null residual, this computes the gradient of x. `Real` is float or double.
template <class Real>
void dropout_add(const Real* x, const Real* residual, std::int64_t count, const DropoutRule& rule,
                 std::int64_t first, Real* out);

}  // namespace fastformer::kernels

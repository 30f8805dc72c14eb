#pragma once

#include <cstdint>

namespace fastformer::kernels {

/// Which numbers of an array dropout keeps (Srivastava et al. 2014): a function of the seed and of
/// a number's index, so that the backward pass evaluates it again instead of storing a mask, and
/// threads need no order (counter-based random numbers: Salmon et al. 2011).
struct DropoutRule {
  std::uint64_t seed;
  double rate;  ///< of the numbers set to zero, 0 <= rate < 1
};

/// out[i] = residual[i] + (kept(first + i) ? x[i] / (1 - rate) : 0) for `count` numbers that lie
/// from index `first` on; a null residual counts as zeros. out may be x or the residual itself.
/// With g for x this is the gradient too. `Real` is float or double.
template <class Real>
void dropout_add(const Real* x, const Real* residual, std::int64_t count, const DropoutRule& rule,
                 std::int64_t first, Real* out);

}  // namespace fastformer::kernels

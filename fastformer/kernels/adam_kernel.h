#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace fastformer::kernels {

/// The constants of Adam, which are the same in all steps.
struct AdamConstants {
  double beta1;
  double beta2;
  double epsilon;
};

/// The coefficients of step t (counted from 1) with learning rate lr.
struct AdamStep {
  double size;   ///< lr / (1 - beta1^t)
  double root;   ///< 1 / sqrt(1 - beta2^t)
  double decay;  ///< 1 - lr * weight_decay
};

/// `count` consecutive weights of a parameter, with their moments.
template <class T>
struct AdamSlice {
  T* weight;
  T* first_moment;
  T* second_moment;
  std::size_t count;
};

/// Combines many steps without a gradient into one (derivation: train/optimizer/adam_history.h):
///   D = center sqrt(v) + epsilon,  x = center sqrt(v) / D
///   w <- decay w - m / D * sum_j coefficients[j] x^j;  m <- first_scale m;  v <- second_scale v
struct ReplaySeries {
  static constexpr std::size_t kTerms = 10;

  double decay = 1;
  double first_scale = 1;
  double second_scale = 1;
  double center = 1;
  double epsilon = 1;
  std::array<double, kTerms> coefficients = {};
};

/// One step with the gradient g; reads and writes each array once:
///   m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2
///   w <- decay w - size m / (root sqrt(v) + epsilon)
/// (Kingma and Ba, arXiv 1412.6980, with decoupled weight decay: Loshchilov and Hutter, arXiv
/// 1711.05101). If `gradient` is null, all gradients are zero.
void adam_update(const AdamConstants& constants, const AdamStep& step, const float* gradient,
                 const AdamSlice<float>& slice);
void adam_update(const AdamConstants& constants, const AdamStep& step, const double* gradient,
                 const AdamSlice<double>& slice);

/// Applies steps with a zero gradient one after another, with the same rounding as adam_update.
void adam_replay(const AdamConstants& constants, std::span<const AdamStep> steps,
                 const AdamSlice<float>& slice);
void adam_replay(const AdamConstants& constants, std::span<const AdamStep> steps,
                 const AdamSlice<double>& slice);

void adam_replay(const ReplaySeries& series, const AdamSlice<float>& slice);
void adam_replay(const ReplaySeries& series, const AdamSlice<double>& slice);

}  // namespace fastformer::kernels

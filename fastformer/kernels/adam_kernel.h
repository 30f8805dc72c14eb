#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace fastformer::kernels {

/// The constants of all steps of Adam.
struct AdamConstants {
  double beta1;
  double beta2;
  double epsilon;
};

/// The values of step t (counted from 1) with learning rate lr.
struct AdamStep {
  double size;   ///< lr / (1 - beta1^t)
  double root;   ///< 1 / sqrt(1 - beta2^t)
  double decay;  ///< 1 - lr * weight_decay
};

/// `count` neighbouring weights of a parameter with their moments.
template <class T>
struct AdamSlice {
  T* weight;
  T* first_moment;
  T* second_moment;
  std::size_t count;
};

/// Many steps without a gradient, as one step:
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

/// One step with the gradient g, every array read and written once:
///   m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2
///   w <- decay w - size m / (root sqrt(v) + epsilon)
/// (Kingma and Ba, arXiv 1412.6980, with the decoupled weight decay of Loshchilov and Hutter, arXiv
/// 1711.05101). A null `gradient` means zeros.
void adam_update(const AdamConstants& constants, const AdamStep& step, const float* gradient,
                 const AdamSlice<float>& slice);
void adam_update(const AdamConstants& constants, const AdamStep& step, const double* gradient,
                 const AdamSlice<double>& slice);

/// The steps one after another, each with a zero gradient; rounds as adam_update does.
void adam_replay(const AdamConstants& constants, std::span<const AdamStep> steps,
                 const AdamSlice<float>& slice);
void adam_replay(const AdamConstants& constants, std::span<const AdamStep> steps,
                 const AdamSlice<double>& slice);

void adam_replay(const ReplaySeries& series, const AdamSlice<float>& slice);
void adam_replay(const ReplaySeries& series, const AdamSlice<double>& slice);

}  // namespace fastformer::kernels

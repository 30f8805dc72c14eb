#pragma once

#include <cstdint>

#include "fastformer/base/config_field.h"

/// Activation functions between two linear layers, element by element:
///   relu(x) = max(x, 0)
///   tanh(x)
///   gelu(x) = x Phi(x), Phi the normal distribution function (Hendrycks and Gimpel, arXiv
///             1606.08415), exact to the precision of the type, without the tanh approximation
///   gelu_tanh(x) = x / (1 + exp(-2 u)), u = sqrt(2 / pi) (x + 0.044715 x^3): the same paper's
///             approximation x (1 + tanh(u)) / 2, for models trained with it
/// `Real` is float or double. NaN gives NaN. No function allocates memory or throws.
namespace fastformer::kernels {

enum class Activation : std::uint8_t { kGelu, kRelu, kTanh, kGeluTanh };

/// out[i] = f(x[i]); out may be x.
template <class Real>
void activate(Activation kind, const Real* x, std::int64_t count, Real* out);

/// The same for layers with 8-bit weights. gelu has an absolute error of at most 1.2e-4 for
/// |x| <= 4 and of 5e-5 |x| beyond, tanh of at most 1e-4; the others are exact.
void activate_approximately(Activation kind, const float* x, std::int64_t count, float* out);

/// gradient[i] *= f'(x[i]) and active[i] = f(x[i]), for callers that did not store the output.
/// `active` may be x.
template <class Real>
void activate_backward(Activation kind, const Real* x, std::int64_t count, Real* active,
                       Real* gradient);

}  // namespace fastformer::kernels

namespace fastformer::base {
template <>
inline constexpr std::array kWords<kernels::Activation> = {"gelu", "relu", "tanh", "gelu_tanh"};
}  // namespace fastformer::base

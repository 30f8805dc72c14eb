#include "fastformer/kernels/activation.h"

#include <cmath>
#include <numbers>

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/activation.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class V>
struct Normal {
  V distribution, bell;  // Phi(x) and exp(-x^2 / 2)
};

// Phi(-a) = exp(-a^2 / 2) t P(t) for a >= 0 with t = 1 / (1 + 0.21 a): one exponential serves the
// function and its slope, and the tail keeps its relative precision. P was fitted to erfcx on
// 0 <= a <= 14; its largest relative error is 1.7e-8, a quarter of a unit in the last place.
template <class D, class V = hn::Vec<D>>
HWY_INLINE Normal<V> normal(D d, V x) {
  constexpr float kCoefficients[] = {
      0.08371157489643645F, 0.08506887048392298F,  0.06919208386806076F,
      0.12487305007418548F, -0.09392592466348308F, 0.3494019780513529F,
      -0.3302541530010233F, 0.2835888897987858F,   -0.0716563626122663F};
  const auto one = hn::Set(d, 1.0F);
  const auto t = hn::Div(one, hn::MulAdd(hn::Set(d, 0.21F), hn::Abs(x), one));
  auto sum = hn::Set(d, kCoefficients[8]);
#pragma GCC unroll 8
  for (int i = 7; i >= 0; --i) sum = hn::MulAdd(sum, t, hn::Set(d, kCoefficients[i]));
  const auto bell = hn::Exp(d, hn::Mul(hn::Mul(x, hn::Set(d, -0.5F)), x));
  const auto tail = hn::Mul(hn::Mul(t, sum), bell);
  return {hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(one, tail)), bell};
}

template <class D>
HWY_INLINE void gelu(D d, const float* x, float* out) {
  const auto value = hn::LoadU(d, x);
  hn::StoreU(hn::Mul(value, normal(d, value).distribution), d, out);
}

template <class D>
HWY_INLINE void gelu_backward(D d, const float* x, float* active, float* gradient) {
  const auto value = hn::LoadU(d, x);
  const auto part = normal(d, value);
  const auto density = hn::Mul(part.bell, hn::Set(d, 0.3989422804F));
  const auto slope = hn::MulAdd(value, density, part.distribution);
  hn::StoreU(hn::Mul(value, part.distribution), d, active);
  hn::StoreU(hn::Mul(slope, hn::LoadU(d, gradient)), d, gradient);
}

template <class D>
HWY_INLINE void tanh(D d, const float* x, float* out) {
  hn::StoreU(hn::Tanh(d, hn::LoadU(d, x)), d, out);
}

// x (1/2 + u P(u^2)) for u = x clamped to [-3.8, 3.8]. P was fitted so that the largest error is
// the smallest.
template <class D>
HWY_INLINE void approximate_gelu(D d, const float* x, float* out) {
  constexpr float kCoefficients[] = {0.39825663F,    -0.06513265F,    0.009045721F,  -0.0008744232F,
                                     5.4621694e-05F, -1.9569272e-06F, 3.0252984e-08F};
  const auto value = hn::LoadU(d, x);
  const auto clamped = hn::Clamp(value, hn::Set(d, -3.8F), hn::Set(d, 3.8F));
  const auto square = hn::Mul(clamped, clamped);
  auto sum = hn::Set(d, kCoefficients[6]);
#pragma GCC unroll 6
  for (int i = 5; i >= 0; --i) sum = hn::MulAdd(sum, square, hn::Set(d, kCoefficients[i]));
  hn::StoreU(hn::Mul(value, hn::MulAdd(clamped, sum, hn::Set(d, 0.5F))), d, out);
}

// The seventh convergent of Lambert's continued fraction, x / (1 + x^2 / (3 + x^2 / (5 + ...))).
// The error is the largest from 4.97 on, where it is clamped: there the fraction is 1 - 6e-7 and
// tanh is 1 - 1e-4.
template <class D>
HWY_INLINE void approximate_tanh(D d, const float* x, float* out) {
  const auto clamped = hn::Clamp(hn::LoadU(d, x), hn::Set(d, -4.97F), hn::Set(d, 4.97F));
  const auto square = hn::Mul(clamped, clamped);
  auto numerator = hn::Add(square, hn::Set(d, 378.0F));
  numerator = hn::MulAdd(numerator, square, hn::Set(d, 17325.0F));
  numerator = hn::MulAdd(numerator, square, hn::Set(d, 135135.0F));
  auto denominator = hn::MulAdd(square, hn::Set(d, 28.0F), hn::Set(d, 3150.0F));
  denominator = hn::MulAdd(denominator, square, hn::Set(d, 62370.0F));
  denominator = hn::MulAdd(denominator, square, hn::Set(d, 135135.0F));
  const auto ratio = hn::Mul(clamped, hn::Div(numerator, denominator));
  const auto value = hn::LoadU(d, x);
  hn::StoreU(hn::IfThenElse(hn::IsNaN(value), value, ratio), d, out);
}

template <class D>
HWY_INLINE void tanh_backward(D d, const float* x, float* active, float* gradient) {
  const auto value = hn::Tanh(d, hn::LoadU(d, x));
  const auto slope = hn::NegMulAdd(value, value, hn::Set(d, 1.0F));
  hn::StoreU(value, d, active);
  hn::StoreU(hn::Mul(slope, hn::LoadU(d, gradient)), d, gradient);
}

constexpr float kLine = 0.7978845608F;  // sqrt(2 / pi)
constexpr float kCube = 0.044715F;

template <class V>
struct Logistic {
  V share, slope;  // 1 / (1 + exp(-2 u)) and half its slope in u
};

// Of exp(-2 |u|), which does not overflow, and keeps the precision of the lower tail.
template <class D, class V = hn::Vec<D>>
HWY_INLINE Logistic<V> logistic(D d, V u) {
  const auto one = hn::Set(d, 1.0F);
  const auto tail = hn::Exp(d, hn::Mul(hn::Set(d, -2.0F), hn::Abs(u)));
  const auto share = hn::Div(one, hn::Add(one, tail));
  const auto rest = hn::Mul(tail, share);
  return {hn::IfThenElse(hn::Lt(u, hn::Zero(d)), rest, share), hn::Mul(share, rest)};
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V cubic(D d, V x) {
  const auto square = hn::Mul(x, x);
  const auto factor = hn::MulAdd(square, hn::Set(d, kCube), hn::Set(d, 1.0F));
  return hn::Mul(hn::Mul(x, hn::Set(d, kLine)), factor);
}

template <class D>
HWY_INLINE void gelu_tanh(D d, const float* x, float* out) {
  const auto value = hn::LoadU(d, x);
  hn::StoreU(hn::Mul(value, logistic(d, cubic(d, value)).share), d, out);
}

template <class D>
HWY_INLINE void gelu_tanh_backward(D d, const float* x, float* active, float* gradient) {
  const auto value = hn::LoadU(d, x);
  // Beyond 20 the slope is 0 or 1, and the square would overflow.
  const auto near = hn::Clamp(value, hn::Set(d, -20.0F), hn::Set(d, 20.0F));
  const auto part = logistic(d, cubic(d, near));
  const auto square = hn::Mul(near, near);
  const auto inner = hn::MulAdd(square, hn::Set(d, 6 * kLine * kCube), hn::Set(d, 2 * kLine));
  const auto slope = hn::MulAdd(hn::Mul(near, inner), part.slope, part.share);
  hn::StoreU(hn::Mul(value, logistic(d, cubic(d, value)).share), d, active);
  hn::StoreU(hn::Mul(slope, hn::LoadU(d, gradient)), d, gradient);
}

// body(tag, index) for whole vectors, then for the rest one by one.
template <class Body>
HWY_INLINE void for_each_vector(std::int64_t count, const Body& body) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> single;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) body(d, i);
  for (; i < count; ++i) body(single, i);
}

void gelu_floats(const float* x, std::int64_t count, float* out) {
  for_each_vector(count, [&](auto d, std::int64_t i) HWY_ATTR { gelu(d, x + i, out + i); });
}

void gelu_backward_floats(const float* x, std::int64_t count, float* active, float* gradient) {
  for_each_vector(count, [&](auto d, std::int64_t i)
                             HWY_ATTR { gelu_backward(d, x + i, active + i, gradient + i); });
}

void tanh_floats(const float* x, std::int64_t count, float* out) {
  for_each_vector(count, [&](auto d, std::int64_t i) HWY_ATTR { tanh(d, x + i, out + i); });
}

void approximate_gelu_floats(const float* x, std::int64_t count, float* out) {
  for_each_vector(count,
                  [&](auto d, std::int64_t i) HWY_ATTR { approximate_gelu(d, x + i, out + i); });
}

void approximate_tanh_floats(const float* x, std::int64_t count, float* out) {
  for_each_vector(count,
                  [&](auto d, std::int64_t i) HWY_ATTR { approximate_tanh(d, x + i, out + i); });
}

void tanh_backward_floats(const float* x, std::int64_t count, float* active, float* gradient) {
  for_each_vector(count, [&](auto d, std::int64_t i)
                             HWY_ATTR { tanh_backward(d, x + i, active + i, gradient + i); });
}

void gelu_tanh_floats(const float* x, std::int64_t count, float* out) {
  for_each_vector(count, [&](auto d, std::int64_t i) HWY_ATTR { gelu_tanh(d, x + i, out + i); });
}

void gelu_tanh_backward_floats(const float* x, std::int64_t count, float* active, float* gradient) {
  for_each_vector(count, [&](auto d, std::int64_t i)
                             HWY_ATTR { gelu_tanh_backward(d, x + i, active + i, gradient + i); });
}

}  // namespace
}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::kernels {
namespace {

HWY_EXPORT(gelu_floats);
HWY_EXPORT(gelu_backward_floats);
HWY_EXPORT(tanh_floats);
HWY_EXPORT(tanh_backward_floats);
HWY_EXPORT(approximate_gelu_floats);
HWY_EXPORT(approximate_tanh_floats);
HWY_EXPORT(gelu_tanh_floats);
HWY_EXPORT(gelu_tanh_backward_floats);

void gelu(const float* x, std::int64_t count, float* out) {
  HWY_DYNAMIC_DISPATCH(gelu_floats)(x, count, out);
}
void gelu_backward(const float* x, std::int64_t count, float* active, float* gradient) {
  HWY_DYNAMIC_DISPATCH(gelu_backward_floats)(x, count, active, gradient);
}
void tanh(const float* x, std::int64_t count, float* out) {
  HWY_DYNAMIC_DISPATCH(tanh_floats)(x, count, out);
}
void tanh_backward(const float* x, std::int64_t count, float* active, float* gradient) {
  HWY_DYNAMIC_DISPATCH(tanh_backward_floats)(x, count, active, gradient);
}

void gelu_tanh(const float* x, std::int64_t count, float* out) {
  HWY_DYNAMIC_DISPATCH(gelu_tanh_floats)(x, count, out);
}
void gelu_tanh_backward(const float* x, std::int64_t count, float* active, float* gradient) {
  HWY_DYNAMIC_DISPATCH(gelu_tanh_backward_floats)(x, count, active, gradient);
}

// Doubles are for the tests of the models, which need precision rather than speed.
double distribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

void gelu(const double* x, std::int64_t count, double* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = x[i] * distribution(x[i]);
}
void gelu_backward(const double* x, std::int64_t count, double* active, double* gradient) {
  constexpr double kScale = 0.39894228040143267794;  // 1 / sqrt(2 pi)
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = x[i], share = distribution(value);
    gradient[i] *= share + value * kScale * std::exp(-0.5 * value * value);
    active[i] = value * share;
  }
}
void tanh(const double* x, std::int64_t count, double* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = std::tanh(x[i]);
}
void tanh_backward(const double* x, std::int64_t count, double* active, double* gradient) {
  for (std::int64_t i = 0; i < count; ++i) {
    active[i] = std::tanh(x[i]);
    gradient[i] *= 1 - active[i] * active[i];
  }
}

constexpr double kLine = 0.79788456080286535588, kCube = 0.044715;  // sqrt(2 / pi)

double share_by_tanh(double x) { return 1 / (1 + std::exp(-2 * kLine * x * (1 + kCube * x * x))); }

void gelu_tanh(const double* x, std::int64_t count, double* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = x[i] * share_by_tanh(x[i]);
}
void gelu_tanh_backward(const double* x, std::int64_t count, double* active, double* gradient) {
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = x[i], share = share_by_tanh(value);
    const double inner = 2 * kLine * (1 + 3 * kCube * value * value);
    gradient[i] *= share + value * inner * share * (1 - share);
    active[i] = value * share;
  }
}

// Simple enough for the compiler to vectorize.
template <class Real>
void relu(const Real* x, std::int64_t count, Real* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = x[i] < 0 ? 0 : x[i];
}
template <class Real>
void relu_backward(const Real* x, std::int64_t count, Real* active, Real* gradient) {
  for (std::int64_t i = 0; i < count; ++i) {
    const Real value = x[i];
    gradient[i] = value <= 0 ? 0 : gradient[i];
    active[i] = value < 0 ? 0 : value;
  }
}

}  // namespace

template <class Real>
void activate(Activation kind, const Real* x, std::int64_t count, Real* out) {
  switch (kind) {
    case Activation::kGelu:
      return gelu(x, count, out);
    case Activation::kRelu:
      return relu(x, count, out);
    case Activation::kTanh:
      return tanh(x, count, out);
    case Activation::kGeluTanh:
      return gelu_tanh(x, count, out);
  }
}

void activate_approximately(Activation kind, const float* x, std::int64_t count, float* out) {
  switch (kind) {
    case Activation::kGelu:
      HWY_DYNAMIC_DISPATCH(approximate_gelu_floats)(x, count, out);
      return;
    case Activation::kTanh:
      HWY_DYNAMIC_DISPATCH(approximate_tanh_floats)(x, count, out);
      return;
    case Activation::kRelu:
    case Activation::kGeluTanh:
      activate(kind, x, count, out);
      return;
  }
}

template <class Real>
void activate_backward(Activation kind, const Real* x, std::int64_t count, Real* active,
                       Real* gradient) {
  switch (kind) {
    case Activation::kGelu:
      return gelu_backward(x, count, active, gradient);
    case Activation::kRelu:
      return relu_backward(x, count, active, gradient);
    case Activation::kTanh:
      return tanh_backward(x, count, active, gradient);
    case Activation::kGeluTanh:
      return gelu_tanh_backward(x, count, active, gradient);
  }
}

template void activate(Activation, const float*, std::int64_t, float*);
template void activate(Activation, const double*, std::int64_t, double*);
template void activate_backward(Activation, const float*, std::int64_t, float*, float*);
template void activate_backward(Activation, const double*, std::int64_t, double*, double*);

}  // namespace fastformer::kernels
#endif  // HWY_ONCE

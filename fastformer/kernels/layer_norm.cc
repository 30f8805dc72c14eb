#include "fastformer/kernels/layer_norm.h"

#include <cmath>

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/layer_norm.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// The sum of term(tag, column) over a row, in two vectors of sums.
template <class Real, class Term>
HWY_INLINE Real sum_of(std::int64_t width, const Term& term) {
  const hn::ScalableTag<Real> d;
  const hn::CappedTag<Real, 1> single;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto one = hn::Zero(d), two = hn::Zero(d);
  std::int64_t c = 0;
  for (; c + 2 * lanes <= width; c += 2 * lanes) {
    one = hn::Add(one, term(d, c));
    two = hn::Add(two, term(d, c + lanes));
  }
  for (; c + lanes <= width; c += lanes) one = hn::Add(one, term(d, c));
  Real sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(one, two)));
  for (; c < width; ++c) sum += hn::GetLane(term(single, c));
  return sum;
}

template <class Real, class Body>
HWY_INLINE void for_each_vector(std::int64_t width, const Body& body) {
  const hn::ScalableTag<Real> d;
  const hn::CappedTag<Real, 1> single;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t c = 0;
  for (; c + lanes <= width; c += lanes) body(d, c);
  for (; c < width; ++c) body(single, c);
}

// load(tag, column) reads the row.
template <class Real, class Load>
HWY_INLINE void forward_row(const Load& load, const Real* weight, const Real* bias, double epsilon,
                            std::int64_t width, Real* y, Real* statistics) {
  const Real mean = sum_of<Real>(width, load) / static_cast<Real>(width);
  const Real squares = sum_of<Real>(width, [&](auto d, std::int64_t c) HWY_ATTR {
    const auto centred = hn::Sub(load(d, c), hn::Set(d, mean));
    return hn::Mul(centred, centred);
  });
  const double variance = static_cast<double>(squares) / static_cast<double>(width);
  const auto inverse = static_cast<Real>(1 / std::sqrt(variance + epsilon));
  for_each_vector<Real>(width, [&](auto d, std::int64_t c) HWY_ATTR {
    const auto centred = hn::Sub(load(d, c), hn::Set(d, mean));
    const auto scaled = hn::Mul(hn::Mul(centred, hn::Set(d, inverse)), hn::LoadU(d, weight + c));
    hn::StoreU(hn::Add(scaled, hn::LoadU(d, bias + c)), d, y + c);
  });
  if (statistics == nullptr) return;
  statistics[0] = mean;
  statistics[1] = inverse;
}

template <class Real>
void forward(const Real* x, const Real* weight, const Real* bias, double epsilon, std::int64_t n,
             std::int64_t width, Real* y, Real* statistics) {
  for (std::int64_t i = 0; i < n; ++i, x += width, y += width) {
    const auto load = [&](auto d, std::int64_t c) HWY_ATTR { return hn::LoadU(d, x + c); };
    forward_row<Real>(load, weight, bias, epsilon, width, y,
                      statistics == nullptr ? nullptr : statistics + 2 * i);
  }
}

void forward_sum(const float* x, const float* added, const float* weight, const float* bias,
                 double epsilon, std::int64_t n, std::int64_t width, float* y) {
  for (std::int64_t i = 0; i < n; ++i, x += width, added += width, y += width) {
    const auto load = [&](auto d, std::int64_t c) HWY_ATTR {
      return hn::Add(hn::LoadU(d, x + c), hn::LoadU(d, added + c));
    };
    forward_row<float>(load, weight, bias, epsilon, width, y, nullptr);
  }
}

template <class Real>
void backward(const Real* x, const Real* weight, const Real* statistics, const Real* g,
              std::int64_t n, std::int64_t width, Real* dx, Real* dweight, Real* dbias) {
  for (std::int64_t i = 0; i < n; ++i, x += width, g += width, dx += width) {
    const Real mean = statistics[2 * i], inverse = statistics[2 * i + 1];
    const auto normalized = [&](auto d, std::int64_t c) HWY_ATTR {
      return hn::Mul(hn::Sub(hn::LoadU(d, x + c), hn::Set(d, mean)), hn::Set(d, inverse));
    };
    const auto slope = [&](auto d, std::int64_t c) HWY_ATTR {
      return hn::Mul(hn::LoadU(d, g + c), hn::LoadU(d, weight + c));
    };
    const auto count = static_cast<Real>(width);
    const Real centre = sum_of<Real>(width, slope) / count;
    const Real tilt =
        sum_of<Real>(width, [&](auto d, std::int64_t c)
                                HWY_ATTR { return hn::Mul(slope(d, c), normalized(d, c)); }) /
        count;
    for_each_vector<Real>(width, [&](auto d, std::int64_t c) HWY_ATTR {
      const auto z = normalized(d, c), gradient = hn::LoadU(d, g + c);
      const auto rest =
          hn::NegMulAdd(z, hn::Set(d, tilt), hn::Sub(slope(d, c), hn::Set(d, centre)));
      hn::StoreU(hn::MulAdd(gradient, z, hn::LoadU(d, dweight + c)), d, dweight + c);
      hn::StoreU(hn::Add(gradient, hn::LoadU(d, dbias + c)), d, dbias + c);
      hn::StoreU(hn::Mul(rest, hn::Set(d, inverse)), d, dx + c);
    });
  }
}

// One function of each kind for each type: what the table of targets can point to.
#define FASTFORMER_NAME(Real)                                                                      \
  void forward_##Real(const Real* x, const Real* weight, const Real* bias, double epsilon,         \
                      std::int64_t n, std::int64_t width, Real* y, Real* statistics) {             \
    forward(x, weight, bias, epsilon, n, width, y, statistics);                                    \
  }                                                                                                \
  void backward_##Real(const Real* x, const Real* weight, const Real* statistics, const Real* g,   \
                       std::int64_t n, std::int64_t width, Real* dx, Real* dweight, Real* dbias) { \
    backward(x, weight, statistics, g, n, width, dx, dweight, dbias);                              \
  }
FASTFORMER_NAME(float)
FASTFORMER_NAME(double)
#undef FASTFORMER_NAME

}  // namespace
}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::kernels {

HWY_EXPORT(forward_float);
HWY_EXPORT(forward_double);
HWY_EXPORT(forward_sum);
HWY_EXPORT(backward_float);
HWY_EXPORT(backward_double);

void layer_norm_of_sum(const float* x, const float* added, const float* weight, const float* bias,
                       double epsilon, std::int64_t n, std::int64_t width, float* y) {
  HWY_DYNAMIC_DISPATCH(forward_sum)(x, added, weight, bias, epsilon, n, width, y);
}

#define FASTFORMER_INSTANTIATE(Real)                                                               \
  template <>                                                                                      \
  void layer_norm(const Real* x, const Real* weight, const Real* bias, double epsilon,             \
                  std::int64_t n, std::int64_t width, Real* y, Real* statistics) {                 \
    HWY_DYNAMIC_DISPATCH(forward_##Real)(x, weight, bias, epsilon, n, width, y, statistics);       \
  }                                                                                                \
  template <>                                                                                      \
  void layer_norm_backward(const Real* x, const Real* weight, const Real* statistics,              \
                           const Real* g, std::int64_t n, std::int64_t width, Real* dx,            \
                           Real* dweight, Real* dbias) {                                           \
    HWY_DYNAMIC_DISPATCH(backward_##Real)(x, weight, statistics, g, n, width, dx, dweight, dbias); \
  }
FASTFORMER_INSTANTIATE(float)
FASTFORMER_INSTANTIATE(double)
#undef FASTFORMER_INSTANTIATE

}  // namespace fastformer::kernels
#endif  // HWY_ONCE

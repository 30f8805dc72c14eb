#include "fastformer/kernels/adam_kernel.h"

#include <algorithm>

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/adam_kernel.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> set(D d, double value) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(value));
}

template <class D>
HWY_INLINE void move_weight(D d, const AdamConstants& constants, const AdamStep& step,
                            hn::Vec<D>& w, hn::Vec<D> m, hn::Vec<D> v) {
  const auto denominator = hn::MulAdd(hn::Sqrt(v), set(d, step.root), set(d, constants.epsilon));
  const auto change = hn::Div(hn::Mul(set(d, step.size), m), denominator);
  w = hn::Sub(hn::Mul(w, set(d, step.decay)), change);
}

struct UpdateBody {
  const AdamConstants& constants;
  const AdamStep& step;

  template <class D>
  HWY_INLINE void apply(D d, hn::Vec<D> g, hn::Vec<D>& w, hn::Vec<D>& m, hn::Vec<D>& v) const {
    const auto first = hn::Mul(set(d, 1 - constants.beta1), g);
    const auto second = hn::Mul(hn::Mul(set(d, 1 - constants.beta2), g), g);
    m = hn::MulAdd(set(d, constants.beta1), m, first);
    v = hn::MulAdd(set(d, constants.beta2), v, second);
    move_weight(d, constants, step, w, m, v);
  }
};

struct ReplayBody {
  const AdamConstants& constants;
  std::span<const AdamStep> steps;

  template <class D>
  HWY_INLINE void apply(D d, hn::Vec<D>, hn::Vec<D>& w, hn::Vec<D>& m, hn::Vec<D>& v) const {
    for (const AdamStep& step : steps) {
      m = hn::Mul(set(d, constants.beta1), m);
      v = hn::Mul(set(d, constants.beta2), v);
      move_weight(d, constants, step, w, m, v);
    }
  }
};

struct SeriesBody {
  const ReplaySeries& series;

  template <class D>
  HWY_INLINE void apply(D d, hn::Vec<D>, hn::Vec<D>& w, hn::Vec<D>& m, hn::Vec<D>& v) const {
    const auto centered = hn::Mul(hn::Sqrt(v), set(d, series.center));
    const auto inverse = hn::Div(set(d, 1.0), hn::Add(centered, set(d, series.epsilon)));
    const auto x = hn::Mul(centered, inverse);
    auto sum = set(d, series.coefficients[ReplaySeries::kTerms - 1]);
    for (std::size_t j = ReplaySeries::kTerms - 1; j-- > 0;) {
      sum = hn::MulAdd(sum, x, set(d, series.coefficients[j]));
    }
    w = hn::Sub(hn::Mul(w, set(d, series.decay)), hn::Mul(hn::Mul(m, inverse), sum));
    m = hn::Mul(m, set(d, series.first_scale));
    v = hn::Mul(v, set(d, series.second_scale));
  }
};

template <class D, class T, class Body>
HWY_INLINE void run_vector(D d, const Body& body, const T* gradient, T* weight, T* first,
                           T* second) {
  auto w = hn::LoadU(d, weight);
  auto m = hn::LoadU(d, first);
  auto v = hn::LoadU(d, second);
  body.apply(d, gradient == nullptr ? hn::Zero(d) : hn::LoadU(d, gradient), w, m, v);
  hn::StoreU(w, d, weight);
  hn::StoreU(m, d, first);
  hn::StoreU(v, d, second);
}

template <class T, class Body>
HWY_INLINE void run(const Body& body, const T* gradient, const AdamSlice<T>& slice) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= slice.count; i += lanes) {
    run_vector(d, body, gradient == nullptr ? gradient : gradient + i, slice.weight + i,
               slice.first_moment + i, slice.second_moment + i);
  }
  const std::size_t rest = slice.count - i;
  if (rest == 0) return;
  // The last lanes go through a padded copy, so that they round as all others do.
  T g[hn::MaxLanes(d)] = {};
  T w[hn::MaxLanes(d)] = {};
  T m[hn::MaxLanes(d)] = {};
  T v[hn::MaxLanes(d)] = {};
  if (gradient != nullptr) std::copy_n(gradient + i, rest, g);
  std::copy_n(slice.weight + i, rest, w);
  std::copy_n(slice.first_moment + i, rest, m);
  std::copy_n(slice.second_moment + i, rest, v);
  run_vector(d, body, g, w, m, v);
  std::copy_n(w, rest, slice.weight + i);
  std::copy_n(m, rest, slice.first_moment + i);
  std::copy_n(v, rest, slice.second_moment + i);
}

void update_float(const AdamConstants& constants, const AdamStep& step, const float* gradient,
                  const AdamSlice<float>& slice) {
  run(UpdateBody{constants, step}, gradient, slice);
}
void update_double(const AdamConstants& constants, const AdamStep& step, const double* gradient,
                   const AdamSlice<double>& slice) {
  run(UpdateBody{constants, step}, gradient, slice);
}
void replay_float(const AdamConstants& constants, std::span<const AdamStep> steps,
                  const AdamSlice<float>& slice) {
  run<float>(ReplayBody{constants, steps}, nullptr, slice);
}
void replay_double(const AdamConstants& constants, std::span<const AdamStep> steps,
                   const AdamSlice<double>& slice) {
  run<double>(ReplayBody{constants, steps}, nullptr, slice);
}
void series_float(const ReplaySeries& series, const AdamSlice<float>& slice) {
  run<float>(SeriesBody{series}, nullptr, slice);
}
void series_double(const ReplaySeries& series, const AdamSlice<double>& slice) {
  run<double>(SeriesBody{series}, nullptr, slice);
}

}  // namespace
}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::kernels {

HWY_EXPORT(update_float);
HWY_EXPORT(update_double);
HWY_EXPORT(replay_float);
HWY_EXPORT(replay_double);
HWY_EXPORT(series_float);
HWY_EXPORT(series_double);

void adam_update(const AdamConstants& constants, const AdamStep& step, const float* gradient,
                 const AdamSlice<float>& slice) {
  HWY_DYNAMIC_DISPATCH(update_float)(constants, step, gradient, slice);
}
void adam_update(const AdamConstants& constants, const AdamStep& step, const double* gradient,
                 const AdamSlice<double>& slice) {
  HWY_DYNAMIC_DISPATCH(update_double)(constants, step, gradient, slice);
}
void adam_replay(const AdamConstants& constants, std::span<const AdamStep> steps,
                 const AdamSlice<float>& slice) {
  HWY_DYNAMIC_DISPATCH(replay_float)(constants, steps, slice);
}
void adam_replay(const AdamConstants& constants, std::span<const AdamStep> steps,
                 const AdamSlice<double>& slice) {
  HWY_DYNAMIC_DISPATCH(replay_double)(constants, steps, slice);
}
void adam_replay(const ReplaySeries& series, const AdamSlice<float>& slice) {
  HWY_DYNAMIC_DISPATCH(series_float)(series, slice);
}
void adam_replay(const ReplaySeries& series, const AdamSlice<double>& slice) {
  HWY_DYNAMIC_DISPATCH(series_double)(series, slice);
}

}  // namespace fastformer::kernels
#endif  // HWY_ONCE

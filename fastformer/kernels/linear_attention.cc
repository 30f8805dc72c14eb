#include "fastformer/kernels/linear_attention.h"

#include <algorithm>

#include "fastformer/kernels/linear_attention_workspace.h"

// Highway compiles what follows once for every instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fastformer/kernels/linear_attention.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "fastformer/kernels/linear_attention_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fastformer::kernels::HWY_NAMESPACE {
namespace {

template <class Real>
void add_state(const Shape& shape, const Input<Real>& in, Real* state, Real* scratch) {
  const auto e = shape.head_width;
  const Workspace<Real> work(shape, scratch);
  Real *keys = work.tile(0), *values = work.tile(1);
  for_each_piece(shape, [&](const Piece& piece) HWY_ATTR {
    const auto n = piece.rows;
    pack_features(piece, in.key, shape.stride, keys);
    pack_rows(piece, in.value, shape.stride, values);
    for_each_head(piece, [&](std::int64_t head, std::int64_t at) HWY_ATTR {
      Real* sums = state + head * (e + 1) * e;
      product<Onto::kSum, Real>(e, n, e, {keys + at, 1, e}, values + at, sums);
      add_rows<Real>(n, e, nullptr, keys + at, sums + e * e);
    });
  });
}

template <bool kCausal, class Real>
void outputs(const Shape& shape, const Input<Real>& in, State<Real, !kCausal> state, Real* out,
             Real* scratch) {
  const auto e = shape.head_width;
  const Workspace<Real> work(shape, scratch);
  Real *queries = work.tile(0), *results = work.tile(1), *keys = work.tile(2);
  Real *values = work.tile(3), *inverse = work.row_factors(0);
  for_each_piece(shape, [&](const Piece& piece) HWY_ATTR {
    const auto n = piece.rows;
    pack_features(piece, in.query, shape.stride, queries);
    if (kCausal) {
      pack_features(piece, in.key, shape.stride, keys);
      pack_rows(piece, in.value, shape.stride, values);
    }
    for_each_head(piece, [&](std::int64_t head, std::int64_t at) HWY_ATTR {
      const Real *query = queries + at, *key = kCausal ? keys + at : nullptr;
      Real* result = results + at;
      const auto sums = state + head * (e + 1) * e, z = sums + e * e;
      inverse_denominators<Real>(n, e, query, key, z, inverse);
      if constexpr (kCausal) {
        std::fill(result, result + n * e, Real{0});
        scan<Real>(n, {key, values + at, query, result, e}, e, sums);
        add_rows<Real>(n, e, nullptr, key, z);
      } else {
        product<Onto::kNothing, Real>(n, e, e, {query, e, 1}, sums, result);
      }
      scale_rows(n, e, inverse, result);
    });
    unpack_rows(piece, results, shape.out_stride, out);
  });
}

// One function of each kind for each type: what the table of targets can point to.
#define FASTFORMER_NAME(Real)                                                                  \
  void add_##Real(const Shape& shape, const Input<Real>& in, Real* state, Real* scratch) {     \
    add_state(shape, in, state, scratch);                                                      \
  }                                                                                            \
  void outputs_##Real(const Shape& shape, const Input<Real>& in, const Real* state, Real* out, \
                      Real* scratch) {                                                         \
    outputs<false>(shape, in, state, out, scratch);                                            \
  }                                                                                            \
  void causal_##Real(const Shape& shape, const Input<Real>& in, Real* state, Real* out,        \
                     Real* scratch) {                                                          \
    outputs<true>(shape, in, state, out, scratch);                                             \
  }
FASTFORMER_NAME(float)
FASTFORMER_NAME(double)
#undef FASTFORMER_NAME

}  // namespace
}  // namespace fastformer::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fastformer::kernels {

HWY_EXPORT(add_float);
HWY_EXPORT(add_double);
HWY_EXPORT(outputs_float);
HWY_EXPORT(outputs_double);
HWY_EXPORT(causal_float);
HWY_EXPORT(causal_double);

std::int64_t linear_attention_scratch_size(std::int64_t heads, std::int64_t head_width) {
  return LinearAttentionWorkspace<float>::size({.heads = heads, .head_width = head_width});
}

#define FASTFORMER_INSTANTIATE(Real)                                                             \
  template <>                                                                                    \
  void add_to_state(const LinearAttentionShape& shape, const LinearAttentionInput<Real>& in,     \
                    Real* state, Real* scratch) {                                                \
    HWY_DYNAMIC_DISPATCH(add_##Real)(shape, in, state, scratch);                                 \
  }                                                                                              \
  template <>                                                                                    \
  void linear_attention(const LinearAttentionShape& shape, const LinearAttentionInput<Real>& in, \
                        const Real* state, Real* out, Real* scratch) {                           \
    HWY_DYNAMIC_DISPATCH(outputs_##Real)(shape, in, state, out, scratch);                        \
  }                                                                                              \
  template <>                                                                                    \
  void causal_linear_attention(const LinearAttentionShape& shape,                                \
                               const LinearAttentionInput<Real>& in, Real* state, Real* out,     \
                               Real* scratch) {                                                  \
    HWY_DYNAMIC_DISPATCH(causal_##Real)(shape, in, state, out, scratch);                         \
  }
FASTFORMER_INSTANTIATE(float)
FASTFORMER_INSTANTIATE(double)
#undef FASTFORMER_INSTANTIATE

}  // namespace fastformer::kernels
#endif  // HWY_ONCE

#include "fastformer/kernels/linear_attention.h"

#include <algorithm>
#include <cstdint>

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

// The states of all heads with S transposed, for gradients.
template <class Real>
void transpose_states(const Shape& shape, const Real* state, const Workspace<Real>& work) {
  const auto e = shape.head_width;
  for (std::int64_t t = 0; t < shape.heads; ++t, state += (e + 1) * e) {
    transpose(e, state, work.state(t));
    std::copy_n(state + e * e, e, work.state(t) + e * e);
  }
}

template <bool kCausal, class Real>
void query_backward(const Shape& shape, const Input<Real>& in, const Real* state,
                    const Real* gradient, Real* dquery, Real* factors, Real* dstate,
                    Real* scratch) {
  const auto e = shape.head_width;
  const Workspace<Real> work(shape, scratch);
  Real *queries = work.tile(0), *gradients = work.tile(1), *results = work.tile(2);
  Real *keys = work.tile(3), *values = work.tile(4);
  Real *inverse = work.row_factors(0), *slope = work.row_factors(1);
  transpose_states(shape, state, work);
  for_each_piece(shape, [&](const Piece& piece) HWY_ATTR {
    const auto n = piece.rows;
    pack_features(piece, in.query, shape.stride, queries);
    pack_rows(piece, gradient, shape.out_stride, gradients);
    if (kCausal) {
      pack_features(piece, in.key, shape.stride, keys);
      pack_rows(piece, in.value, shape.stride, values);
    }
    for_each_head(piece, [&](std::int64_t head, std::int64_t at) HWY_ATTR {
      const Real *query = queries + at, *key = kCausal ? keys + at : nullptr;
      Real *g = gradients + at, *result = results + at;
      Real *sums = work.state(head), *z = sums + e * e;
      inverse_denominators<Real>(n, e, query, key, z, inverse);
      scale_rows(n, e, inverse, g);
      if (kCausal) {
        std::fill(result, result + n * e, Real{0});
        scan<Real>(n, {values + at, key, g, result, e}, e, sums);
      } else {
        product<Onto::kNothing, Real>(n, e, e, {g, e, 1}, sums, result);
      }
      // c_i . o_i = phi(q_i)^T S c_i / d_i: the outputs are not needed.
      std::fill(slope, slope + n, Real{0});
      add_dots<Real>(n, e, query, result, slope);
      for (std::int64_t i = 0; i < n; ++i) slope[i] *= -inverse[i];
      finish_query_gradient<Real>(n, e, query, key, slope, z, result);
      if (kCausal) {
        add_rows<Real>(n, e, nullptr, key, z);
        Real* kept = factors + head * shape.rows + piece.first;
        std::copy_n(inverse, n, kept);
        std::copy_n(slope, n, kept + shape.heads * shape.rows);
      }
      if (dstate == nullptr) return;
      Real* dsums = dstate + head * (e + 1) * e;
      product<Onto::kSum, Real>(e, n, e, {query, 1, e}, g, dsums);
      add_rows(n, e, slope, query, dsums + e * e);
    });
    unpack_rows(piece, results, shape.stride, dquery);
  });
}

template <bool kCausal, class Real>
void key_backward(const Shape& shape, const Input<Real>& in, const Real* factors,
                  const Real* gradient, State<Real, !kCausal> dstate, Real* dkey, Real* dvalue,
                  Real* scratch) {
  const auto e = shape.head_width;
  const Workspace<Real> work(shape, scratch);
  Real *keys = work.tile(0), *values = work.tile(1), *dkeys = work.tile(2);
  Real *dvalues = work.tile(3), *queries = work.tile(4), *gradients = work.tile(5);
  transpose_states<Real>(shape, dstate, work);
  for_each_piece_backward(shape, [&](const Piece& piece) HWY_ATTR {
    const auto n = piece.rows;
    pack_features(piece, in.key, shape.stride, keys);
    pack_rows(piece, in.value, shape.stride, values);
    if (kCausal) {
      pack_features(piece, in.query, shape.stride, queries);
      pack_rows(piece, gradient, shape.out_stride, gradients);
    }
    for_each_head(piece, [&](std::int64_t head, std::int64_t at) HWY_ATTR {
      const Real *key = keys + at, *value = values + at;
      Real *dk = dkeys + at, *dv = dvalues + at, *transposed = work.state(head);
      const auto dsums = dstate + head * (e + 1) * e, dz = dsums + e * e;
      if constexpr (kCausal) {
        std::fill(dk, dk + n * e, Real{0});
        std::fill(dv, dv + n * e, Real{0});
        const Real *query = queries + at, *inverse = factors + head * shape.rows + piece.first;
        const Real* slope = inverse + shape.heads * shape.rows;
        Real* g = gradients + at;
        scale_rows(n, e, inverse, g);
        const auto last = (n - 1) * e;
        scan<Real>(n, {g + last, query + last, value + last, dk + last, -e}, e, transposed);
        scan<Real>(n, {query + last, g + last, key + last, dv + last, -e}, e, dsums);
        finish_key_gradient<Real>(n, e, key, query, slope, dz, dk);
        add_rows(n, e, slope, query, dz);
      } else {
        product<Onto::kNothing, Real>(n, e, e, {value, e, 1}, transposed, dk);
        product<Onto::kNothing, Real>(n, e, e, {key, e, 1}, dsums, dv);
        finish_key_gradient<Real>(n, e, key, nullptr, nullptr, dz, dk);
      }
    });
    unpack_rows(piece, dkeys, shape.stride, dkey);
    unpack_rows(piece, dvalues, shape.stride, dvalue);
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
  }                                                                                            \
  void query_##Real(const Shape& shape, const Input<Real>& in, const Real* state,              \
                    const Real* gradient, Real* dquery, Real* dstate, Real* scratch) {         \
    query_backward<false, Real>(shape, in, state, gradient, dquery, nullptr, dstate, scratch); \
  }                                                                                            \
  void causal_query_##Real(const Shape& shape, const Input<Real>& in, const Real* state,       \
                           const Real* gradient, Real* dquery, Real* factors, Real* dstate,    \
                           Real* scratch) {                                                    \
    query_backward<true>(shape, in, state, gradient, dquery, factors, dstate, scratch);        \
  }                                                                                            \
  void key_##Real(const Shape& shape, const Input<Real>& in, const Real* dstate, Real* dkey,   \
                  Real* dvalue, Real* scratch) {                                               \
    key_backward<false, Real>(shape, in, nullptr, nullptr, dstate, dkey, dvalue, scratch);     \
  }                                                                                            \
  void causal_key_##Real(const Shape& shape, const Input<Real>& in, const Real* factors,       \
                         const Real* gradient, Real* dstate, Real* dkey, Real* dvalue,         \
                         Real* scratch) {                                                      \
    key_backward<true>(shape, in, factors, gradient, dstate, dkey, dvalue, scratch);           \
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
HWY_EXPORT(query_float);
HWY_EXPORT(query_double);
HWY_EXPORT(causal_query_float);
HWY_EXPORT(causal_query_double);
HWY_EXPORT(key_float);
HWY_EXPORT(key_double);
HWY_EXPORT(causal_key_float);
HWY_EXPORT(causal_key_double);

std::int64_t linear_attention_scratch_size(std::int64_t heads, std::int64_t head_width) {
  return LinearAttentionWorkspace<float>::size({.heads = heads, .head_width = head_width});
}

#define FASTFORMER_INSTANTIATE(Real)                                                               \
  template <>                                                                                      \
  void add_to_state(const LinearAttentionShape& shape, const LinearAttentionInput<Real>& in,       \
                    Real* state, Real* scratch) {                                                  \
    HWY_DYNAMIC_DISPATCH(add_##Real)(shape, in, state, scratch);                                   \
  }                                                                                                \
  template <>                                                                                      \
  void linear_attention(const LinearAttentionShape& shape, const LinearAttentionInput<Real>& in,   \
                        const Real* state, Real* out, Real* scratch) {                             \
    HWY_DYNAMIC_DISPATCH(outputs_##Real)(shape, in, state, out, scratch);                          \
  }                                                                                                \
  template <>                                                                                      \
  void causal_linear_attention(const LinearAttentionShape& shape,                                  \
                               const LinearAttentionInput<Real>& in, Real* state, Real* out,       \
                               Real* scratch) {                                                    \
    HWY_DYNAMIC_DISPATCH(causal_##Real)(shape, in, state, out, scratch);                           \
  }                                                                                                \
  template <>                                                                                      \
  void linear_attention_query_backward(                                                            \
      const LinearAttentionShape& shape, const LinearAttentionInput<Real>& in, const Real* state,  \
      const Real* gradient, Real* dquery, Real* dstate, Real* scratch) {                           \
    HWY_DYNAMIC_DISPATCH(query_##Real)(shape, in, state, gradient, dquery, dstate, scratch);       \
  }                                                                                                \
  template <>                                                                                      \
  void linear_attention_key_backward(const LinearAttentionShape& shape,                            \
                                     const LinearAttentionInput<Real>& in, const Real* dstate,     \
                                     Real* dkey, Real* dvalue, Real* scratch) {                    \
    HWY_DYNAMIC_DISPATCH(key_##Real)(shape, in, dstate, dkey, dvalue, scratch);                    \
  }                                                                                                \
  template <>                                                                                      \
  void causal_query_backward(                                                                      \
      const LinearAttentionShape& shape, const LinearAttentionInput<Real>& in, const Real* state,  \
      const Real* gradient, Real* dquery, Real* factors, Real* dstate, Real* scratch) {            \
    HWY_DYNAMIC_DISPATCH(causal_query_##Real)(shape, in, state, gradient, dquery, factors, dstate, \
                                              scratch);                                            \
  }                                                                                                \
  template <>                                                                                      \
  void causal_key_backward(const LinearAttentionShape& shape,                                      \
                           const LinearAttentionInput<Real>& in, const Real* factors,              \
                           const Real* gradient, Real* dstate, Real* dkey, Real* dvalue,           \
                           Real* scratch) {                                                        \
    HWY_DYNAMIC_DISPATCH(causal_key_##Real)(shape, in, factors, gradient, dstate, dkey, dvalue,    \
                                            scratch);                                              \
  }
FASTFORMER_INSTANTIATE(float)
FASTFORMER_INSTANTIATE(double)
#undef FASTFORMER_INSTANTIATE

}  // namespace fastformer::kernels
#endif  // HWY_ONCE

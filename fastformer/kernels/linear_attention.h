#pragma once

#include <cstdint>

/// Linear attention (Katharopoulos et al., "Transformers are RNNs", arXiv 2006.16236, sections
/// 3.2-3.4): a softmax whose exponentials of products are replaced by products of features,
/// phi(x) = elu(x) + 1, so that a sequence passes through a state of fixed size. For one head:
///   S = sum_j phi(k_j) v_j^T  [e, e],   z = sum_j phi(k_j)  [e]
///   o_i = phi(q_i)^T S / (phi(q_i) . z + 1e-6)
/// The sums are over all rows j, or over j <= i if the attention is causal.
///
/// A sequence may be divided into blocks of rows: the states of blocks are added, or passed from
/// each block to the next, and their gradients in the opposite direction. Within a block, tiles
/// of rows stay in the caches. A causal block keeps a part of the state in registers and applies
/// the rows of a tile to it one after another, with as many multiplications as non-causal
/// attention.
///
/// No function allocates memory or throws. `Real` is float or double.
namespace fastformer::kernels {

/// The layout of a block's rows. Head t owns columns t e .. (t + 1) e - 1, where e = head_width.
struct LinearAttentionShape {
  std::int64_t rows, heads, head_width;
  std::int64_t stride;      ///< between rows of queries, keys, values and their gradients
  std::int64_t out_stride;  ///< between rows of the outputs and of their gradient
};

/// Pointers to the first elements of query, key and value, [rows, heads * head_width] each.
template <class Real>
struct LinearAttentionInput {
  const Real *query, *key, *value;
};

/// Elements of a state. For each head it is [e + 1, e]: the rows of S, then z.
inline std::int64_t linear_attention_state_size(std::int64_t heads, std::int64_t head_width) {
  return heads * (head_width + 1) * head_width;
}

/// Elements of scratch memory that any function here needs.
std::int64_t linear_attention_scratch_size(std::int64_t heads, std::int64_t head_width);

/// Adds the keys and values of a block to a state.
template <class Real>
void add_to_state(const LinearAttentionShape& shape, const LinearAttentionInput<Real>& in,
                  Real* state, Real* scratch);

/// Computes out [rows, heads * e] from the state of the whole sequence.
template <class Real>
void linear_attention(const LinearAttentionShape& shape, const LinearAttentionInput<Real>& in,
                      const Real* state, Real* out, Real* scratch);

/// The same for a causal block: `state` is the state of all rows before the block, and is updated
/// to the state after the block.
template <class Real>
void causal_linear_attention(const LinearAttentionShape& shape,
                             const LinearAttentionInput<Real>& in, Real* state, Real* out,
                             Real* scratch);

/// The gradients of a block have two halves. With g_i = dL/do_i, d_i = phi(q_i) . z + 1e-6, c_i =
/// g_i / d_i and s_i = -g_i . o_i / d_i, the first half is the gradient of the queries
///   dphi(q_i) = S c_i + s_i z
/// and their contribution to the state gradient, added to `dstate`, which has the shape of a state:
///   dS += phi(q_i) c_i^T,   dz += s_i phi(q_i)
template <class Real>
void linear_attention_query_backward(const LinearAttentionShape& shape,
                                     const LinearAttentionInput<Real>& in, const Real* state,
                                     const Real* gradient, Real* dquery, Real* dstate,
                                     Real* scratch);

/// The second half is the gradient of the keys and values, after all queries of the sequence are
/// processed:
///   dphi(k_j) = dS v_j + dz,   dv_j = dS^T phi(k_j)
template <class Real>
void linear_attention_key_backward(const LinearAttentionShape& shape,
                                   const LinearAttentionInput<Real>& in, const Real* dstate,
                                   Real* dkey, Real* dvalue, Real* scratch);

/// The first half of a causal block, from the state of all rows before it. `factors` [2, heads,
/// rows] receives 1 / d_i and s_i for the second half. `dstate` receives the block's contribution
/// to the gradients of keys before it; it may be null.
template <class Real>
void causal_query_backward(const LinearAttentionShape& shape, const LinearAttentionInput<Real>& in,
                           const Real* state, const Real* gradient, Real* dquery, Real* factors,
                           Real* dstate, Real* scratch);

/// The second half of a causal block, from the contribution `dstate` of all rows after it; `dstate`
/// then includes the rows of the block.
template <class Real>
void causal_key_backward(const LinearAttentionShape& shape, const LinearAttentionInput<Real>& in,
                         const Real* factors, const Real* gradient, Real* dstate, Real* dkey,
                         Real* dvalue, Real* scratch);

}  // namespace fastformer::kernels

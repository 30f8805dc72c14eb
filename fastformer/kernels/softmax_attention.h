#pragma once

#include <cstdint>
#include <limits>
#include <span>

/// Softmax attention of one head (Vaswani et al., arXiv 1706.03762, section 3.2.1), exact:
///   O_i = sum over the keys j to which query i attends of w[i, j] V_j,
///   w[i, .] = softmax over those j of scale Q_i . K_j
///
/// No matrix of all queries by all keys is formed: tiles of keys and queries are combined in the L1
/// cache, under a running maximum (Milakov and Gimelshein, arXiv 1805.02867; Dao et al., arXiv
/// 2205.14135). The backward pass recomputes the weights from two numbers per query.
///
/// A list of disjoint ranges of keys, each with a band around the query, defines the keys to which
/// a query attends. Nothing is computed outside of them, so a window costs n w, not n n:
///
///   const KeyRange all{0, n};
///   const KeyRange causal{0, n, KeyRange::kUnlimited, 0};
///   const KeyRange window{0, n, 32, 32};
///   const KeyRange pooled{0, n / 4, 128, 128, 4};
///
/// Rows may have any stride, but contiguous rows are fastest: lines at a distance of a power of two
/// displace each other from the L1 cache. `copy_rows` makes rows contiguous. `Real` is float or
/// double. Nothing is allocated; no call throws.
namespace fastformer::kernels {

/// The rows [n, e] of one head: row i starts at data + i * stride.
template <class Real>
struct HeadRows {
  Real* data;
  std::int64_t stride;
};

/// Keys begin .. end - 1, of which query i attends to those at positions j * step from i - behind
/// to i + ahead.
struct KeyRange {
  static constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max() / 4;

  std::int64_t begin, end;
  std::int64_t behind = kUnlimited, ahead = kUnlimited;
  std::int64_t step = 1;
};

/// A head of one sequence; row i of the queries has position i.
template <class Real>
struct AttentionHead {
  HeadRows<const Real> query, key, value;
  std::int64_t width;  ///< e
  Real scale;          ///< of the logits, 1 / sqrt(e)
};

/// Queries first .. last - 1, and the keys to which they attend.
struct QueryBlock {
  std::int64_t first, last;
  std::span<const KeyRange> ranges;
};

/// Elements of scratch that a call of either pass needs.
std::int64_t attention_scratch_size(std::int64_t width);

/// Rows of `output` and of `statistics` [n, 2] for the queries of the block: the greatest logit (to
/// base 2) and the inverse of the sum of the exponentials. A query that attends to no key gives
/// zeros.
template <class Real>
void attend(const AttentionHead<Real>& head, const QueryBlock& block, HeadRows<Real> output,
            Real* statistics, Real* scratch);

/// Additional inputs of the backward pass.
template <class Real>
struct AttentionResult {
  HeadRows<const Real> output;
  const Real* statistics;         ///< [n, 2], of `attend`
  HeadRows<const Real> gradient;  ///< G = dL/dO
};

/// Outputs of the backward pass. Rows of dquery are overwritten; the results are added to dkey and
/// dvalue.
template <class Real>
struct AttentionGradients {
  HeadRows<Real> query, key, value;
};

/// Gradients of the queries of the block:
///   dV_j += sum_i w[i, j] G_i,   dlogit[i, j] = w[i, j] (G_i . V_j - G_i . O_i),
///   dQ_i = scale sum_j dlogit[i, j] K_j,   dK_j += scale sum_i dlogit[i, j] Q_i
/// Blocks that attend to the same keys must not run at the same time with the same gradients.
template <class Real>
void attend_backward(const AttentionHead<Real>& head, const QueryBlock& block,
                     const AttentionResult<Real>& result, const AttentionGradients<Real>& gradients,
                     Real* scratch);

/// to [n, width] = from [n, width], or += from.
template <class Real>
void copy_rows(HeadRows<const Real> from, std::int64_t n, std::int64_t width, HeadRows<Real> to);
template <class Real>
void add_rows(HeadRows<const Real> from, std::int64_t n, std::int64_t width, HeadRows<Real> to);

}  // namespace fastformer::kernels

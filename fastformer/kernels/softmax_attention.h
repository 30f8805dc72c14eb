#pragma once

#include <cstdint>
#include <limits>
#include <span>

/// Exact softmax attention of one head (Vaswani et al., arXiv 1706.03762, section 3.2.1):
///   O_i = sum over the keys j to which query i attends of w[i, j] V_j,
///   w[i, .] = softmax over those j of scale Q_i . K_j
///
/// No matrix of all queries by all keys is stored: tiles of queries and keys are combined in the L1
/// cache, with a running maximum (Milakov and Gimelshein, arXiv 1805.02867; Dao et al., arXiv
/// 2205.14135). The backward pass recomputes the weights from two numbers per query.
///
/// A list of disjoint ranges of keys, each with a band around the query, defines which keys a query
/// attends to. Other keys cost nothing, so a window of w keys costs n w instead of n n:
///
///   const KeyRange all{0, n};
///   const KeyRange causal{0, n, KeyRange::kUnlimited, 0};
///   const KeyRange window{0, n, 32, 32};
///   const KeyRange pooled{0, n / 4, 128, 128, 4};
///
/// Rows may have any stride, but contiguous rows are fastest: with a stride that is a power of two,
/// cache lines evict each other from the L1 cache. `copy_rows` makes rows contiguous. `Real` is
/// float or double. No function allocates memory or throws.
namespace fastformer::kernels {

/// The rows [n, e] of one head: row i starts at data + i * stride.
template <class Real>
struct HeadRows {
  Real* data;
  std::int64_t stride;
};

/// The keys begin .. end - 1, where key j has position j * step. Query i attends to those at
/// positions i - behind .. i + ahead.
struct KeyRange {
  static constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max() / 4;

  std::int64_t begin, end;
  std::int64_t behind = kUnlimited, ahead = kUnlimited;
  std::int64_t step = 1;
};

/// One head of one sequence. Row i of the queries has position i.
template <class Real>
struct AttentionHead {
  HeadRows<const Real> query, key, value;
  std::int64_t width;  ///< e
  Real scale;          ///< factor of the logits, usually 1 / sqrt(e)
};

/// Queries first .. last - 1, and the keys to which they attend.
struct QueryBlock {
  std::int64_t first, last;
  std::span<const KeyRange> ranges;
};

/// Elements of scratch memory for either pass.
std::int64_t attention_scratch_size(std::int64_t width);

/// Writes the rows of `output` and `statistics` [n, 2] for the queries of the block. The statistics
/// are the maximum logit (to base 2) and the inverse of the sum of exponentials. A query that
/// attends to no key gets zeros.
template <class Real>
void attend(const AttentionHead<Real>& head, const QueryBlock& block, HeadRows<Real> output,
            Real* statistics, Real* scratch);

/// What the backward pass needs in addition.
template <class Real>
struct AttentionResult {
  HeadRows<const Real> output;
  const Real* statistics;         ///< [n, 2], of `attend`
  HeadRows<const Real> gradient;  ///< G = dL/dO
};

/// Outputs of the backward pass: overwrites the rows of dQ of the block, and adds to dK and
/// dV.
template <class Real>
struct AttentionGradients {
  HeadRows<Real> query, key, value;
};

/// Gradients for the queries of the block:
///   dV_j += sum_i w[i, j] G_i,   dlogit[i, j] = w[i, j] (G_i . V_j - G_i . O_i),
///   dQ_i = scale sum_j dlogit[i, j] K_j,   dK_j += scale sum_i dlogit[i, j] Q_i
/// Blocks that attend to the same keys must not run concurrently with the same dK and dV.
template <class Real>
void attend_backward(const AttentionHead<Real>& head, const QueryBlock& block,
                     const AttentionResult<Real>& result, const AttentionGradients<Real>& gradients,
                     Real* scratch);

/// to [n, width] = from [n, width] (copy_rows), or to += from (add_rows).
template <class Real>
void copy_rows(HeadRows<const Real> from, std::int64_t n, std::int64_t width, HeadRows<Real> to);
template <class Real>
void add_rows(HeadRows<const Real> from, std::int64_t n, std::int64_t width, HeadRows<Real> to);

}  // namespace fastformer::kernels

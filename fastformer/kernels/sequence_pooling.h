#pragma once

#include <cstdint>
#include <span>

/// The pooling of `row_pooling.h` and the weighted sums of `segment_sums.h` for every sequence of a
/// ragged batch, on all threads: rows offsets[b] .. offsets[b + 1] - 1 of x [T, d] are sequence b.
/// A long sequence is divided into blocks, so that all threads work on it; the blocks and every bit
/// of the result depend only on the lengths. `Real` is float or double.
namespace fastformer::kernels {

/// pooled [B, h, d] and statistics [B, 2, h], see finish_pooling(). `queries` is [h, d] for all
/// sequences if `query_stride` is 0, else the queries of sequence b begin at b * query_stride.
template <class Real>
void pool_sequences(const Real* x, const Real* queries, std::int64_t query_stride,
                    std::span<const std::int64_t> offsets, std::int64_t width, std::int64_t heads,
                    Real* pooled, Real* statistics);

/// weights [T, h]: those with which pool_sequences() pooled the rows.
template <class Real>
void sequence_pooling_weights(const Real* x, const Real* queries, std::int64_t query_stride,
                              const Real* statistics, std::span<const std::int64_t> offsets,
                              std::int64_t width, std::int64_t heads, Real* weights);

/// Replaces the logits [T] by their softmax over each sequence, and writes the sums [B, d] of the
/// rows with these weights; the sum of no rows is zero.
template <class Real>
void pool_by_logits(const Real* x, std::span<const std::int64_t> offsets, std::int64_t width,
                    Real* logits, Real* pooled);

}  // namespace fastformer::kernels

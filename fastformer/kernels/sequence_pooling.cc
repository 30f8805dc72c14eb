#include "fastformer/kernels/sequence_pooling.h"

#include <vector>

#include "fastformer/kernels/row_blocks.h"
#include "fastformer/kernels/row_pooling.h"
#include "fastformer/kernels/segment_sums.h"

namespace fastformer::kernels {

template <class Real>
void pool_sequences(const Real* x, const Real* queries, std::int64_t query_stride,
                    std::span<const std::int64_t> offsets, std::int64_t width, std::int64_t heads,
                    Real* pooled, Real* statistics) {
  const auto blocks = sequence_blocks(offsets);
  const auto size = pooling_state_size(width, heads);
  const auto scratch_size = row_pooling_scratch_size(width, heads);
  std::vector<Real> parts(all_whole(blocks) ? 0 : blocks.size() * static_cast<std::size_t>(size));
  const auto finish = [&](const Real* state, std::int64_t sequence) {
    finish_pooling(state, width, heads, pooled + sequence * heads * width,
                   statistics + sequence * 2 * heads);
  };
  for_each_block(blocks, [&](std::int64_t index, const SequenceBlock& block) {
    auto* scratch = scratch_of<Real>(scratch_size + size);
    auto* state = block.whole ? scratch + scratch_size : &parts[index * size];
    pool_block(x + block.first * width, queries + block.sequence * query_stride, block.rows, width,
               heads, state, scratch);
    if (block.whole) finish(state, block.sequence);
  });
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].whole) continue;
    auto* state = &parts[i * size];
    const auto sequence = blocks[i].sequence;
    for (; i + 1 < blocks.size() && blocks[i + 1].sequence == sequence; ++i) {
      merge_pooling(&parts[(i + 1) * size], width, heads, state);
    }
    finish(state, sequence);
  }
}

template <class Real>
void sequence_pooling_weights(const Real* x, const Real* queries, std::int64_t query_stride,
                              const Real* statistics, std::span<const std::int64_t> offsets,
                              std::int64_t width, std::int64_t heads, Real* weights) {
  for_each_block(sequence_blocks(offsets), [&](std::int64_t, const SequenceBlock& block) {
    pooling_weights(x + block.first * width, queries + block.sequence * query_stride,
                    statistics + block.sequence * 2 * heads, block.rows, width, heads,
                    weights + block.first * heads,
                    scratch_of<Real>(row_pooling_scratch_size(width, heads)));
  });
}

template <class Real>
void pool_by_logits(const Real* x, std::span<const std::int64_t> offsets, std::int64_t width,
                    Real* logits, Real* pooled) {
  for_each_sequence(offsets, [&](std::int64_t, std::int64_t first, std::int64_t n) {
    segment_softmax(logits + first, n);
  });
  const auto blocks = sequence_blocks(offsets);
  std::vector<Real> parts(all_whole(blocks) ? 0 : blocks.size() * static_cast<std::size_t>(width));
  for_each_block(blocks, [&](std::int64_t index, const SequenceBlock& block) {
    auto* to = block.whole ? pooled + block.sequence * width : &parts[index * width];
    segment_sum(x + block.first * width, logits + block.first, block.rows, width, to);
  });
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].whole) continue;
    auto* to = pooled + blocks[i].sequence * width;
    const auto* part = &parts[i * width];
    const bool begins = i == 0 || blocks[i - 1].sequence != blocks[i].sequence;
    for (std::int64_t c = 0; c < width; ++c) to[c] = begins ? part[c] : to[c] + part[c];
  }
}

#define FASTFORMER_INSTANTIATE(Real)                                                             \
  template void pool_sequences(const Real*, const Real*, std::int64_t,                           \
                               std::span<const std::int64_t>, std::int64_t, std::int64_t, Real*, \
                               Real*);                                                           \
  template void sequence_pooling_weights(const Real*, const Real*, std::int64_t, const Real*,    \
                                         std::span<const std::int64_t>, std::int64_t,            \
                                         std::int64_t, Real*);                                   \
  template void pool_by_logits(const Real*, std::span<const std::int64_t>, std::int64_t, Real*,  \
                               Real*);
FASTFORMER_INSTANTIATE(float)
FASTFORMER_INSTANTIATE(double)
#undef FASTFORMER_INSTANTIATE

}  // namespace fastformer::kernels

#pragma once

#include <cstdint>
#include <string>

#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/mixers/block_attention.h"
#include "fastformer/nn/mixers/mixer.h"

namespace fastformer::nn {

/// The global tokens of block-sparse attention: the first tokens of each sequence (BigBird's ITC),
/// or learned rows before them (ETC).
enum class GlobalKind : std::uint8_t { kInternal, kExternal };

struct BlockSparseFields {
  std::int64_t window = 64;  ///< tokens around a token, half on each side, in whole blocks
  std::int64_t block_size = 16;
  std::int64_t global_tokens = 8;
  std::int64_t random_tokens = 8;
  std::int64_t random_seed = 0;
  GlobalKind global_kind = GlobalKind::kInternal;

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

/// Attention to blocks of neighbours, global tokens and random tokens, the mixer of BigBird (Zaheer
/// et al., arXiv 2007.14062, section 2 and appendix D). For one sequence with rows X [n, d], h
/// heads and e = d / h, where head t owns columns t e .. (t + 1) e - 1 of every projection:
///
///   Q = X Wq^T + bq,  K = X Wk^T + bk,  V = X Wv^T + bv
///   O_i[t] = sum over j in S(i, t) of softmax_j(Q_i[t] . K_j[t] / sqrt(e)) V_j[t]
///
/// then the output projection Wo O_i + bo if there is one. With b = block_size, S(i, t) is the set
/// of tokens that the following `BlockPattern` gives:
///   side = max(1, floor(round(window / b) / 2)) blocks on each side, where halves round up;
///   ceil(random_tokens / b) random blocks, drawn for each block of queries and each head by a hash
///   of random_seed and the name of the layer, so that they are the same in every run;
///   ceil(global_tokens / b) global blocks, the first ones, if `global_kind` is internal (ITC).
/// If it is external (ETC), no block is global. Instead, global_tokens learned rows, `global_rows`
/// [g, d], precede each sequence as keys and values for all of its tokens. They have no queries,
/// because the layer has no output rows for them.
///
/// The cost is that of the attended keys, n (2 side + 1 + global + random) b d.
class BlockSparseAttention final : public Mixer {
 public:
  BlockSparseAttention(const model::MixerShape& shape, const BlockSparseFields& fields,
                       ParameterStore& store, const std::string& name);

  at::Tensor forward(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const override;
  double multiply_adds(std::int64_t tokens) const override;

 private:
  std::int64_t width_, heads_;
  BlockPattern pattern_;
  Linear query_, key_, value_, output_;
  at::Tensor global_rows_;  // external only
};

}  // namespace fastformer::nn

namespace fastformer::base {
template <>
inline constexpr std::array kWords<nn::GlobalKind> = {"internal", "external"};
}  // namespace fastformer::base

#pragma once

#include <cstdint>
#include <string>

#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/mixers/mixer.h"

namespace fastformer::nn {

struct SlidingWindowFields {
  std::int64_t window = 64;        ///< tokens around a token, half on each side
  std::int64_t global_tokens = 8;  ///< first tokens, which attend to all, as all do to them

  void visit_fields(base::FieldVisitor& visit);
  void validate() const {}
};

/// Attention to neighbours and a few global tokens, the mixer of Longformer (Beltagy et al., arXiv
/// 2004.05150, section 3.1). For one sequence with rows X [n, d], h heads and e = d / h, where head
/// t owns columns t e .. (t + 1) e - 1 of every projection, r = floor(window / 2) and
/// g = global_tokens:
///
///   Q = X Wq^T + bq,  K = X Wk^T + bk,  V = X Wv^T + bv
///   for i >= g:  O_i = sum of softmax_j(Q_i . K_j / sqrt(e)) V_j over j with |i - j| <= r or j < g
///   for i < g:   the same over all j, with projections of its own: `global_query`, `global_key`,
///                `global_value`
///
/// then the output projection Wo O_i + bo if there is one. The cost is that of the attended keys,
/// n (window + 2 g) d: no weight is computed only to be masked.
class SlidingWindowAttention final : public Mixer {
 public:
  SlidingWindowAttention(const model::MixerShape& shape, const SlidingWindowFields& fields,
                         ParameterStore& store, const std::string& name);

  at::Tensor forward(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const override;
  double multiply_adds(std::int64_t tokens) const override;

 private:
  at::Tensor with_global_rows(const at::Tensor& y, const at::Tensor& x,
                              const Offsets& offsets) const;

  std::int64_t width_, heads_, reach_, global_tokens_;
  Linear query_, key_, value_, global_query_, global_key_, global_value_, output_;
};

}  // namespace fastformer::nn

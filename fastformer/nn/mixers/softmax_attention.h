#pragma once

#include <string>

#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/mixers/mixer.h"

namespace fastformer::nn {

struct SoftmaxFields {
  bool causal = false;  ///< a token attends only to itself and earlier tokens

  void visit_fields(base::FieldVisitor& visit);
  void validate() const {}
};

/// Multi-head attention, the mixer of the Transformer (Vaswani et al., arXiv 1706.03762, section
/// 3.2). For one sequence with rows X [n, d], h heads and e = d / h, where head t owns columns
/// t e .. (t + 1) e - 1 of every projection:
///
///   Q = X Wq^T + bq,  K = X Wk^T + bk,  V = X Wv^T + bv
///   O_i[t] = sum over j of softmax_j(Q_i[t] . K_j[t] / sqrt(e)) V_j[t]
///
/// then the output projection Wo O_i + bo if there is one. If `causal`, only over j <= i. Exact; no
/// matrix of all pairs of tokens is stored, but the cost still grows as n^2 d.
class SoftmaxAttention final : public Mixer {
 public:
  SoftmaxAttention(const model::MixerShape& shape, const SoftmaxFields& fields,
                   ParameterStore& store, const std::string& name);

  at::Tensor forward(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const override;
  double multiply_adds(std::int64_t tokens) const override;

 private:
  std::int64_t width_, heads_;
  bool causal_;
  Linear query_, key_, value_, output_;
};

}  // namespace fastformer::nn

#pragma once

#include <string>

#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/mixers/mixer.h"

namespace fastformer::nn {

struct LinearFields {
  bool causal = false;  ///< a token attends only to itself and earlier tokens

  void visit_fields(base::FieldVisitor& visit);
  void validate() const {}
};

/// Linear attention, the mixer of the Linear Transformer (Katharopoulos et al., "Transformers are
/// RNNs", arXiv 2006.16236, sections 3.2-3.4). For one sequence with rows X [n, d], h heads and
/// e = d / h, where head t owns columns t e .. (t + 1) e - 1 of every projection:
///
///   Q = X Wq^T + bq,  K = X Wk^T + bk,  V = X Wv^T + bv,  phi(x) = elu(x) + 1
///   S[t] = sum_j phi(K_j[t]) V_j[t]^T  [e, e],   z[t] = sum_j phi(K_j[t])  [e]
///   O_i[t] = phi(Q_i[t])^T S[t] / (phi(Q_i[t]) . z[t] + 1e-6)
///
/// then the output projection Wo O_i + bo if there is one. The sums are over all tokens j, or over
/// j <= i if `causal`. The cost per token does not depend on the length of the sequence.
///
/// Runs on the kernels of `kernels/linear_attention.h`. All threads process blocks of a long
/// sequence, and the states of blocks are added in order, so that every bit of the result depends
/// only on the lengths. Stores Q, K, V and [h, e + 1, e] per sequence for the backward pass.
class LinearAttention final : public Mixer {
 public:
  LinearAttention(const model::MixerShape& shape, const LinearFields& fields, ParameterStore& store,
                  const std::string& name);

  at::Tensor forward(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const override;
  double multiply_adds(std::int64_t tokens) const override;

 private:
  std::int64_t width_, heads_;
  bool causal_;
  Linear query_, key_, value_, output_;
};

}  // namespace fastformer::nn

#pragma once

#include <string>

#include "fastformer/nn/gated_linear.h"
#include "fastformer/nn/linear.h"
#include "fastformer/nn/mixer.h"

namespace fastformer::nn {

/// Additive attention, the token mixer of Fastformer (Wu et al., arXiv 2108.09084, section 3.1).
/// For one sequence with rows X [n, d], h heads and e = d / h:
///
///   Q = X Wq^T + bq,  K = X Wk^T + bk,  V = Q or X Wv^T + bv
///   alpha = softmax over tokens of (Q A^T + a) / sqrt(e);  q[head] = sum_i alpha_i Q_i[head]
///   P_i = q * K_i
///   beta = softmax over tokens of (P C^T + c) / sqrt(e);   k[head] = sum_i beta_i P_i[head]
///   Y_i = Wt (k * V_i) + bt + Q_i,  then the output projection Wo Y_i + bo where there is one
///
/// `interaction` replaces the products: add gives q + K_i and k + V_i, concat Wc [q; K_i] + bc and
/// Wu [k; V_i] + bu. `logits` full: A and C are [h, d]; per_head: [h, e], each head sees its own
/// columns. `sharing` heads: one row of A and of C serves every head.
///
/// Ways to the same result:
///   direct        as written above, one sequence at a time: the reference;
///   shared_query  K is never formed: both global vectors come from pooling X itself, because all
///                 that stands before a softmax is linear in X and constants cancel in it. With
///                 them known, Y_i = (Wo Wt) (k * (Wv X_i)) + (Wo Wq) X_i + c_b;
///   merged        nor is Q: Y_i = M_b X_i + c_b is one product a token. M_b costs d x d x d a
///                 sequence, which pays for long ones.
/// `auto` chooses between the last two for each sequence by its length. With the interactions add
/// and concat M is the same for all sequences, and both names stand for it.
class AdditiveAttention final : public Mixer {
 public:
  AdditiveAttention(const EncoderConfig& config, ParameterStore& store, const std::string& name);

  at::Tensor forward(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const override;
  void stream(const at::Tensor& x, const Offsets& offsets, const RowSink& sink) const override;
  double multiply_adds(std::int64_t tokens) const override;

 private:
  struct Globals {
    at::Tensor key;   // k [B, d]
    at::Tensor rows;  // x again, see PooledRows
  };

  struct Folded {
    GatedWeights weights;  // only `direct` where all sequences have the same matrix
    at::Tensor constants;  // [B, d]
  };

  at::Tensor forward_direct(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const;
  at::Tensor forward_folded(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const;

  at::Tensor direct_sequence(const at::Tensor& x, MixerTrace* trace) const;
  Globals globals(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const;
  at::Tensor key_queries(const at::Tensor& global_query, const at::Tensor& key_weight) const;
  at::Tensor logit_rows(const Linear& logits) const;
  at::Tensor logit_matrix(const Linear& logits) const;
  at::Tensor by_head(const at::Tensor& weight, const at::Tensor& pooled) const;
  Folded fold(const Globals& globals) const;
  std::int64_t least_merged() const;
  const Linear& value() const { return value_ ? value_ : query_; }

  EncoderConfig config_;
  Linear query_, key_, value_, transform_, output_;
  Linear query_logits_, key_logits_;
  Linear key_interaction_, value_interaction_;  // concat only
};

}  // namespace fastformer::nn

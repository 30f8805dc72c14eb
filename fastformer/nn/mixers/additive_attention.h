#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "fastformer/model/additive_fields.h"
#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/mixers/gated_linear.h"
#include "fastformer/nn/mixers/mixer.h"

namespace fastformer::nn {

/// Forms of additive attention that give the same result; selectable for tests and benchmarks:
///   kSharedQuery  does not compute K: both global vectors come from pooling X itself, because all
///                 steps before a softmax are linear in X, and constants cancel in it. Then
///                 Y_i = (Wo Wt) (k * (Wv X_i)) + (Wo Wq) X_i + c_b;
///   kMerged       computes neither K nor Q: Y_i = M_b X_i + c_b is one product per token. M_b
///                 costs d x d x d per sequence, so this form is faster for long sequences;
///   kAuto         selects one of them for each sequence, by its length.
/// With the interactions add and concat, M is the same for all sequences, and all forms are equal.
enum class AdditiveForm : std::uint8_t { kAuto, kSharedQuery, kMerged };

/// Additive attention, the token mixer of Fastformer (Wu et al., arXiv 2108.09084, section 3.1).
/// For one sequence with rows X [n, d], h heads and e = d / h:
///
///   Q = X Wq^T + bq,  K = X Wk^T + bk,  V = Q or X Wv^T + bv
///   alpha = softmax over tokens of (Q A^T + a) / sqrt(e);  q[head] = sum_i alpha_i Q_i[head]
///   P_i = q * K_i
///   beta = softmax over tokens of (P C^T + c) / sqrt(e);   k[head] = sum_i beta_i P_i[head]
///   Y_i = Wt (k * V_i) + bt + Q_i,  then the output projection Wo Y_i + bo if there is one
///
/// `interaction` replaces the products: add computes q + K_i and k + V_i, concat Wc [q; K_i] + bc
/// and Wu [k; V_i] + bu. A and C are [h, d], or [h, e] if `logits` is per head.
class AdditiveAttention final : public Mixer {
 public:
  AdditiveAttention(const model::MixerShape& shape, const model::AdditiveFields& fields,
                    ParameterStore& store, const std::string& name,
                    AdditiveForm form = AdditiveForm::kAuto);

  at::Tensor forward(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const override;
  void stream(const at::Tensor& x, const Offsets& offsets, const RowSink& sink) const override;
  double multiply_adds(std::int64_t tokens) const override;

 private:
  struct Globals {
    at::Tensor key;   // k [B, d]
    at::Tensor rows;  // x, see PooledRows
  };

  struct Folded {
    GatedWeights weights;  // only `direct` if all sequences share one matrix
    at::Tensor constants;  // [B, d]
  };

  Globals globals(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const;
  at::Tensor queries_of_keys(const at::Tensor& global_query, const at::Tensor& key_weight) const;
  at::Tensor logit_rows(const Linear& logits) const;
  at::Tensor logit_matrix(const Linear& logits) const;
  at::Tensor by_head(const at::Tensor& weight, const at::Tensor& pooled) const;
  Folded fold(const Globals& globals) const;
  std::int64_t least_merged() const;
  const Linear& value() const { return value_ ? value_ : query_; }

  std::int64_t width_, heads_;
  model::AdditiveFields fields_;
  AdditiveForm form_;
  Linear query_, key_, value_, transform_, output_;
  Linear query_logits_, key_logits_;
  Linear key_interaction_, value_interaction_;  // concat only
};

/// For each head and sequence, the vector whose products with the sequence's rows are the key
/// logits. With logit vectors s_h, a gate vector g_b of each sequence, and the key weight W:
///   q_bh = W^T (s_h * g_b)
/// since s . (g * W x) = q . x. logits [h, m], gates [B, m], weight [m, d] -> [B, h, d]. The
/// backward pass recomputes the products s_h * g_b instead of storing them.
///
/// Float or double; throws c10::Error if shapes or types disagree.
at::Tensor key_queries(const at::Tensor& logits, const at::Tensor& gates, const at::Tensor& weight);

}  // namespace fastformer::nn

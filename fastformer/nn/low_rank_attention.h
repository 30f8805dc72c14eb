#pragma once

#include <string>
#include <vector>

#include "fastformer/nn/linear.h"
#include "fastformer/nn/mixer.h"

namespace fastformer::nn {

/// Attention of low rank, the mixer of Linformer (Wang et al., arXiv 2006.04768, section 4). Keys
/// and values of a sequence are projected along its length to k rows. For one sequence with rows
/// X [n, d], h heads and e = d / h, where head t owns columns t e .. (t + 1) e of every projection:
///
///   Q = X Wq^T + bq,  K = X Wk^T + bk,  V = X Wv^T + bv
///   K'[t] = E_t[:, :n] K[t],  V'[t] = F_t[:, :n] V[t]                               [k, e]
///   O_i[t] = softmax over the k rows of (K'[t] Q_i[t] / sqrt(e)) applied to V'[t]
///
/// then the output projection Wo O_i + bo where there is one. `projection_sharing`:
///   none       E_t and F_t are `key_projection` and `value_projection` [h, k, L];
///   heads      one E and one F for all heads, [k, L];
///   key_value  E = F, `length_projection` [k, L];
///   layers     that one for all layers, named beside them: `<encoder>.length_projection`.
/// The paper has sequences of one length; here a sequence of n tokens uses the first n columns of
/// the projections, and always all k rows. Longer ones than L = `projection_length` are refused.
///
/// Because a projection that the heads share and a linear layer can change places,
///   E (X Wk^T + 1 bk^T) = (E X) Wk^T + (E 1) bk^T,
/// sequences of more than k tokens on average form neither K nor V: k rows are projected instead.
class LowRankAttention final : public Mixer {
 public:
  LowRankAttention(const EncoderConfig& config, ParameterStore& store, const std::string& name);

  /// Throws std::invalid_argument when a sequence is longer than `projection_length`.
  at::Tensor forward(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const override;
  double multiply_adds(std::int64_t tokens) const override;

 private:
  struct Attended {
    at::Tensor query, key, value;
  };
  Attended project_rows(const at::Tensor& x, const Offsets& offsets) const;
  Attended project_input(const at::Tensor& x, const Offsets& offsets) const;

  std::int64_t heads_, rank_, length_;
  Linear query_, key_, value_, output_;
  std::vector<at::Tensor> projections_;  // of keys and of values, or one of both
};

}  // namespace fastformer::nn

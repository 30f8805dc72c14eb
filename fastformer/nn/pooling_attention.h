#pragma once

#include <string>

#include "fastformer/nn/linear.h"
#include "fastformer/nn/mixer.h"
#include "fastformer/nn/window_pooling.h"

namespace fastformer::nn {

/// Attention in two levels, the mixer of Poolingformer (Zhang et al., arXiv 2105.04371, section 3).
/// For one sequence with rows X [n, d], h heads and e = d / h, where head t owns columns
/// t e .. (t + 1) e of every projection:
///
///   level 1   A_i = softmax attention of token i, with `query`, `key` and `value` of X, to the
///             tokens j with |i - j| <= floor(window / 2)
///   pooling   K2 = A Wk^T + bk,  V2 = A Wv^T + bv with `pooled_key` and `pooled_value`;
///             row p = 0 .. ceil(n / stride) - 1 pools rows p stride .. p stride + kernel - 1, as
///             far as there are such
///   level 2   Z_i = softmax attention of token i, with `pooled_query` of A, to the pooled rows p
///             with |i - p stride| <= floor(pooled_window / 2); where there is none, to
///             p = floor(i / stride) alone
///   O = A + Z, or Z where `pooling_residual` is none
///
/// then the output projection Wo O_i + bo where there is one. `pooling`: the mean or the max of the
/// rows; or dynamic, weights that differ by head, from the middle row c of a window:
///   u[t] = softmax over m of (A_c W^T + b)[t kernel + m], with the layer `dynamic`, d -> h kernel
///
/// A mean and a linear layer can change places, so that for the mean K2 and V2 are formed for
/// pooled rows only.
class PoolingAttention final : public Mixer {
 public:
  PoolingAttention(const EncoderConfig& config, ParameterStore& store, const std::string& name);

  at::Tensor forward(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const override;
  double multiply_adds(std::int64_t tokens) const override;

 private:
  /// What level 2 attends with, to what, and the rows of level 1 for whoever reads them next.
  struct Pooled {
    at::Tensor query, key, value, input;
  };
  Pooled pool(const at::Tensor& rows, const Offsets& offsets) const;
  Pooled pool_means(const at::Tensor& rows, const Offsets& offsets) const;
  Pooled pool_dynamically(const at::Tensor& rows, const Offsets& offsets) const;

  std::int64_t heads_, reach_, pooled_reach_;
  WindowShape windows_;
  std::string kind_;
  bool residual_;
  Linear query_, key_, value_, pooled_query_, pooled_key_, pooled_value_, dynamic_, output_;
};

}  // namespace fastformer::nn

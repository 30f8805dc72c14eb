#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/mixers/mixer.h"
#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

struct WindowShape {
  std::int64_t size, step;
};

/// The first window of each sequence among the R windows of the batch, [B + 1].
std::vector<std::int64_t> window_offsets(const Offsets& offsets, const WindowShape& shape);

/// Weights [R, size] with which window_sums() gives the mean of each window, or its middle row (its
/// last row if the window is cut off before the middle).
at::Tensor mean_weights(const Offsets& offsets, const WindowShape& shape,
                        const at::TensorOptions& options);
at::Tensor centre_weights(const Offsets& offsets, const WindowShape& shape,
                          const at::TensorOptions& options);

struct WindowSums {
  at::Tensor rows;   ///< [R, d]
  at::Tensor input;  ///< x again, see `PooledRows::rows`
};

/// Weighted sums of the rows of each window: x [T, d], weights [R, h size]; each head has its own
/// `size` weights. Weights of rows past the end of a sequence are ignored.
WindowSums window_sums(const at::Tensor& x, const at::Tensor& weights, std::int64_t heads,
                       const Offsets& offsets, const WindowShape& shape);

/// The element-wise maxima of each window, [R, d]. The gradient goes to the first maximum.
at::Tensor window_maxima(const at::Tensor& x, const Offsets& offsets, const WindowShape& shape);

/// How the second level pools keys and values: mean, maximum, or a sum with weights that depend on
/// the tokens.
enum class PoolingKind : std::uint8_t { kMean, kMax, kDynamic };

struct PoolingFields {
  std::int64_t window = 64;          ///< tokens around a token, half on each side
  std::int64_t pooled_window = 256;  ///< the same for the second level
  std::int64_t kernel = 5;           ///< tokens that are pooled into one row
  std::int64_t stride = 4;           ///< tokens from one pooled row to the next
  PoolingKind pooling = PoolingKind::kMean;
  bool residual = true;  ///< add the first level's output to the second's

  void visit_fields(base::FieldVisitor& visit);
  void validate() const {}
};

/// Attention in two levels, the mixer of Poolingformer (Zhang et al., arXiv 2105.04371, section 3).
/// For one sequence with rows X [n, d], h heads and e = d / h, where head t owns columns
/// t e .. (t + 1) e - 1 of every projection:
///
///   level 1   A_i = softmax attention of token i, with `query`, `key` and `value` of X, to the
///             tokens j with |i - j| <= floor(window / 2)
///   pooling   K2 = A Wk^T + bk,  V2 = A Wv^T + bv with `pooled_key` and `pooled_value`;
///             row p = 0 .. ceil(n / stride) - 1 pools rows p stride .. p stride + kernel - 1, as
///             far as they exist
///   level 2   Z_i = softmax attention of token i, with `pooled_query` of A, to the pooled rows p
///             with |i - p stride| <= floor(pooled_window / 2), or, if there are none, only to
///             p = floor(i / stride)
///   O = A + Z, or Z without `residual`
///
/// then the output projection Wo O_i + bo if there is one. `pooling`: the mean or the maximum of
/// the rows, or dynamic: a sum with weights u[t] for head t, from the middle row c of the window:
///   u[t] = softmax over m of (A_c W^T + b)[t kernel + m], with the layer `dynamic`, d -> h kernel
///
/// A mean commutes with a linear layer, so K2 and V2 of a mean are computed only for pooled rows.
class PoolingAttention final : public Mixer {
 public:
  PoolingAttention(const model::MixerShape& shape, const PoolingFields& fields,
                   ParameterStore& store, const std::string& name);

  at::Tensor forward(const at::Tensor& x, const Offsets& offsets, MixerTrace* trace) const override;
  double multiply_adds(std::int64_t tokens) const override;

 private:
  /// Queries, keys and values of level 2, and the rows of level 1 (see `WindowSums`).
  struct SecondLevel {
    at::Tensor query, key, value, input;
  };
  SecondLevel pool(const at::Tensor& rows, const Offsets& offsets) const;
  SecondLevel pool_means(const at::Tensor& rows, const Offsets& offsets) const;
  SecondLevel pool_dynamically(const at::Tensor& rows, const Offsets& offsets) const;

  std::int64_t heads_, reach_, pooled_reach_;
  WindowShape windows_;
  PoolingKind kind_;
  bool residual_;
  Linear query_, key_, value_, pooled_query_, pooled_key_, pooled_value_, dynamic_, output_;
};

}  // namespace fastformer::nn

namespace fastformer::base {
template <>
inline constexpr std::array kWords<nn::PoolingKind> = {"mean", "max", "dynamic"};
}  // namespace fastformer::base

#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "fastformer/nn/layers/linear.h"
#include "fastformer/nn/offsets.h"

namespace fastformer::nn {

/// One vector for each sequence, and the weights of its tokens.
struct Pooled {
  at::Tensor vectors;  ///< [B, d]
  at::Tensor weights;  ///< [T, 1], sums to 1 within a sequence; not differentiable
};

/// x [T, d], logits [T, 1] -> for each sequence, the sum of its rows weighted by the softmax of
/// their logits; zeros without tokens. Float or double; throws c10::Error if shapes disagree.
Pooled pool_by_logits(const at::Tensor& x, const at::Tensor& logits, const Offsets& offsets);

/// Additive pooling (Wu et al., arXiv 2108.09084, section 3.2):
///   w = softmax over tokens of v . tanh(W x_i + b) + c;   pooled = sum_i w_i x_i
/// Parameters: `<name>.projection` [q, d] and `<name>.logits` [1, q]; q = d by default.
class AdditivePooling {
 public:
  AdditivePooling(ParameterStore& store, const std::string& name, std::int64_t width)
      : AdditivePooling(store, name, width, width) {}
  AdditivePooling(ParameterStore& store, const std::string& name, std::int64_t width,
                  std::int64_t query_width);

  /// x [T, d] -> vectors [B, d] with weights [T, 1].
  Pooled forward(const at::Tensor& x, const Offsets& offsets) const;

 private:
  Linear projection_, logits_;
};

}  // namespace fastformer::nn

#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "fastformer/nn/feed_forward.h"
#include "fastformer/nn/linear.h"
#include "fastformer/nn/ragged_ops.h"

namespace fastformer::nn {

/// One vector for a sequence (Wu et al., arXiv 2108.09084, section 3.2):
///   w = softmax over tokens of v . tanh(W x_i + b) + c;   pooled = sum_i w_i x_i
/// Parameters: `<name>.projection` [q, d] and `<name>.logits` [1, q]; q = d unless it is given.
class AdditivePooling {
 public:
  AdditivePooling(ParameterStore& store, const std::string& name, std::int64_t width)
      : AdditivePooling(store, name, width, width) {}
  AdditivePooling(ParameterStore& store, const std::string& name, std::int64_t width,
                  std::int64_t query_width)
      : projection_(store, name + ".projection", width, query_width),
        logits_(store, name + ".logits", query_width, 1) {}

  /// x [T, d] -> vectors [B, d] with weights [T, 1].
  Pooled forward(const at::Tensor& x, const Offsets& offsets) const {
    const auto logits = feed_forward(x, projection_, logits_, kernels::Activation::kTanh);
    return pool_by_logits(x, logits, offsets);
  }

 private:
  Linear projection_, logits_;
};

}  // namespace fastformer::nn

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fastformer/kernels/activation.h"
#include "fastformer/model/parameter_file.h"
#include "fastformer/runtime/row_matrix.h"

namespace fastformer::runtime {

/// The numbers [size] of a parameter in the mapped file; valid while `file` exists. Throws
/// std::invalid_argument as model::StoredParameter does.
std::span<const float> take_floats(model::ParameterFile& file, const std::string& name,
                                   std::int64_t size);

/// `<name>.weight` W [out, in] and `<name>.bias` b [out] of a linear layer.
struct LinearWeights {
  LinearWeights() = default;
  /// `of_floats`: the precision of products with a weight that is stored in fp32.
  LinearWeights(model::ParameterFile& file, const std::string& name, std::int64_t columns,
                std::int64_t rows, RowPrecision of_floats = RowPrecision::kFp32);
  explicit operator bool() const { return out > 0; }

  std::int64_t in = 0, out = 0;
  std::vector<float> weight;
  std::span<const float> bias;
  RowPrecision precision = RowPrecision::kFp32;  ///< 8 bits if the file has 8 bits
};

/// A linear layer for the rows of tokens: y = x W^T + b.
struct Linear {
  Linear() = default;
  explicit Linear(const LinearWeights& layer)
      : weight(layer.weight.data(), layer.in, layer.out, layer.precision), bias(layer.bias) {}

  /// x [n, in] -> y [n, out].
  void apply(std::int64_t n, const float* x, float* y) const {
    weight.multiply(n, x, {.row = bias.data()}, y);
  }
  explicit operator bool() const { return static_cast<bool>(weight); }

  RowMatrix weight;
  std::span<const float> bias;
};

/// Replaces rows [n, out] of `layer` by their activations: approximately after a quantized layer,
/// whose error is larger.
void activate(kernels::Activation activation, const Linear& layer, std::int64_t n, float* rows);

/// `<name>.weight` and `<name>.bias` of a layer normalization.
struct LayerNorm {
  LayerNorm() = default;
  LayerNorm(model::ParameterFile& file, const std::string& name, std::int64_t width)
      : weight(take_floats(file, name + ".weight", width)),
        bias(take_floats(file, name + ".bias", width)) {}

  /// x [n, d] -> y [n, d]; y may be x.
  void apply(std::int64_t n, const float* x, float* y) const;
  /// The same for the rows x + added; y may be either.
  void apply_to_sum(std::int64_t n, const float* x, const float* added, float* y) const;
  explicit operator bool() const { return !weight.empty(); }

  std::span<const float> weight, bias;
};

}  // namespace fastformer::runtime

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fastformer/kernels/products/packed_product.h"
#include "fastformer/model/additive_fields.h"
#include "fastformer/model/encoder_config.h"
#include "fastformer/runtime/buffers.h"
#include "fastformer/runtime/row_matrix.h"
#include "fastformer/runtime/weights.h"

namespace fastformer::runtime {

/// Rows per block; a block stays in the cache through all steps of a layer.
inline constexpr std::int64_t kLayerRows = 128;

/// The attention weights of a layer's tokens, for explanations.
struct LayerTrace {
  std::vector<float> query_weights, key_weights;  ///< alpha and beta, [T, h]
};

/// The token mixer of Fastformer with the products of its parameters that do not depend on the text
/// computed once. nn::AdditiveAttention gives the definition. With P = Wo Wt and k the global key
/// of a sequence, and if queries are values, the last step is
///   Y_i = (P diag(k) + Wo) Wq X_i + c:
/// two products per token, since the matrix in brackets costs d x d additions per sequence. A long
/// sequence needs one product, with all of it as one matrix.
class AdditiveMixer {
 public:
  AdditiveMixer(const model::EncoderConfig& config, model::ParameterFile& file,
                const std::string& name, RowPrecision precision);

  /// The global key of each sequence, and the constant added to its rows.
  struct Globals {
    std::vector<float> keys, constants;  // [B, d]
  };
  /// x [T, d]. `trace` may be null.
  void read(const float* x, std::span<const std::int64_t> offsets, Globals& globals,
            LayerTrace* trace) const;

  /// Whether a sequence of this length uses matrix_of() instead of mix().
  bool merges(std::int64_t rows) const;
  /// The matrix [d, d] of a sequence with this global key: Y = X M + c.
  kernels::PackedMatrix matrix_of(const float* key) const;

  /// Some consecutive rows of a sequence.
  struct Part {
    std::int64_t sequence, rows;
  };
  /// x: the rows of the parts, one after another; y: their output.
  void mix(const float* x, std::span<const Part> parts, const Globals& globals, float* y) const;

  std::int64_t width() const { return width_; }

 private:
  void mix_one(float* q, std::int64_t n, const float* key, const float* constant, float* y) const;

  std::int64_t width_, heads_;
  model::AdditiveFields fields_;
  std::vector<float> alpha_queries_;  // [h, d]
  std::vector<float> key_logits_;     // [h, d], or [h, e] per head
  std::vector<float> beta_queries_;   // [h, d], unless the interaction is product
  std::vector<kernels::PackedMatrix> query_heads_, key_heads_;  // of each head: [d, e]
  std::vector<kernels::PackedMatrix> key_rows_;  // Wk: [d, d], or of each head [e, d]
  std::vector<float> query_bias_, key_bias_, value_bias_, constant_;
  kernels::PackedMatrix global_query_;  // concat: the left half of Wc
  kernels::PackedMatrix global_value_;  // concat: the left half of Wu
  std::vector<float> global_query_constant_, global_value_constant_;
  RowMatrix query_, value_;             // Wq, and Wv if values are not the queries
  RowMatrix outer_, direct_;            // P; Wo if queries are values, else Wo Wq
  RowMatrix one_matrix_;                // add and concat: one matrix for all sequences
  kernels::PackedMatrix global_outer_;  // P for the constants, unless outer_ has it in fp32
  kernels::PackedMatrix inner_rows_;    // fp32: Wq or Wv as the right side of the merged matrix
  std::vector<float> outer_numbers_, direct_numbers_;
  RowPrecision precision_ = RowPrecision::kFp32;
};

}  // namespace fastformer::runtime

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fastformer/model/stored_parameter.h"
#include "fastformer/model/text_encoder_config.h"
#include "fastformer/runtime/encoder_layer.h"
#include "fastformer/runtime/weights.h"

namespace fastformer::runtime {

/// The weights of a batch's tokens, for explanations.
struct EncoderTrace {
  std::vector<LayerTrace> layers;
  std::vector<float> pooling_weights;  ///< [T]
};

/// Computes one vector per text from token ids, with the same result as nn::Embedding, nn::Encoder
/// and nn::AdditivePooling up to rounding. The tables stay in the mapped file.
///
/// Each vector depends on its own text alone, in all bits. Immutable; safe to share between
/// threads.
class TextEncoder {
 public:
  /// Throws std::invalid_argument for a parameter that is missing or damaged. `file` must outlive
  /// the encoder.
  TextEncoder(const model::TextEncoderConfig& config, std::int64_t vocabulary_size,
              model::ParameterFile& file, RowPrecision precision);

  /// Text b has the ids offsets[b] .. offsets[b + 1] - 1 -> vectors [B, d]; zeros for a text
  /// without tokens. Uses all threads, or only the calling thread inside a parallel region. `trace`
  /// may be null. Throws std::invalid_argument for an id outside the vocabulary or a text longer
  /// than the positions.
  void encode(std::span<const std::int32_t> ids, std::span<const std::int64_t> offsets,
              float* vectors, EncoderTrace* trace = nullptr) const;

  std::int64_t width() const { return width_; }

 private:
  void embed(std::span<const std::int32_t> ids, std::span<const std::int64_t> offsets,
             float* x) const;
  void check(std::span<const std::int32_t> ids, std::span<const std::int64_t> offsets) const;

  std::int64_t width_, vocabulary_size_, positions_, buckets_, depth_;
  model::StoredParameter tokens_, position_table_, bigrams_;
  LayerNorm embedding_norm_;
  std::vector<EncoderLayer> layers_;  // one if the layers share their parameters
  LayerNorm final_norm_;
  Linear projection_;  // of the pooling
  LinearWeights logits_;
};

}  // namespace fastformer::runtime

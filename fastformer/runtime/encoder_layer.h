#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fastformer/model/encoder_config.h"
#include "fastformer/runtime/additive_mixer.h"
#include "fastformer/runtime/weights.h"

namespace fastformer::runtime {

/// One layer of the encoder, see nn::EncoderLayer.
class EncoderLayer {
 public:
  EncoderLayer(const model::EncoderConfig& config, model::ParameterFile& file,
               const std::string& name, RowPrecision precision);

  /// x [T, d] in place. `trace` may be null.
  void run(float* x, std::span<const std::int64_t> offsets, LayerTrace* trace) const;

 private:
  void finish(float* x, float* y, std::int64_t n, std::vector<float>& hidden) const;
  void close_block(float* x, const float* y, std::int64_t n, const LayerNorm& norm) const;

  model::EncoderConfig config_;
  AdditiveMixer mixer_;
  LayerNorm mixer_norm_, ffn_norm_;
  Linear ffn_input_, ffn_output_;
};

}  // namespace fastformer::runtime

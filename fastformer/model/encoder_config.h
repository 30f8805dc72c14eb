#pragma once

#include <cstdint>

#include "fastformer/base/config_field.h"
#include "fastformer/kernels/activation.h"
#include "fastformer/model/mixer_config.h"

namespace fastformer::model {

/// Whether layer normalization comes after each block, before it, or not at all.
enum class Normalization : std::uint8_t { kPost, kPre, kNone };

/// The source of an encoder's default values: the published code, or the paper (Wu et al., arXiv
/// 2108.09084).
enum class Preset : std::uint8_t { kAuthorsCode, kPaper };

/// The encoder's part of the recipe's [model] section. Defaults: Preset::kAuthorsCode.
struct EncoderConfig {
  MixerConfig mixer;  ///< the table [model.mixer]
  std::int64_t layers = 2;
  std::int64_t width = 256;
  std::int64_t heads = 16;
  std::int64_t ffn_width = 256;
  kernels::Activation activation = kernels::Activation::kGelu;
  Normalization normalization = Normalization::kPost;
  bool residual = true;
  bool output_projection = true;
  double dropout = 0.2;
  bool share_layers = false;

  MixerShape mixer_shape() const {
    return {.width = width, .heads = heads, .output_projection = output_projection};
  }

  void visit_fields(base::FieldVisitor& visit);
  /// Visits all fields except the width, for an encoder that uses the width of another.
  void visit_all_but_width(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

EncoderConfig encoder_preset(Preset preset);

}  // namespace fastformer::model

namespace fastformer::base {
template <>
inline constexpr std::array kWords<model::Normalization> = {"post", "pre", "none"};
template <>
inline constexpr std::array kWords<model::Preset> = {"authors_code", "paper"};
}  // namespace fastformer::base

#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>

#include "fastformer/nn/encoder_config.h"
#include "fastformer/nn/offsets.h"
#include "fastformer/nn/parameter_store.h"

namespace fastformer::nn {

/// The weights a mixer gave its tokens, for explanations; empty tensors where it has none.
struct MixerTrace {
  at::Tensor query_weights;  ///< alpha [T, h]
  at::Tensor key_weights;    ///< beta [T, h]
};

/// Lets the tokens of each sequence exchange information: x [T, d] -> [T, d].
class Mixer {
 public:
  virtual ~Mixer() = default;
  /// `trace` may be null. Immutable: many threads may call it.
  virtual at::Tensor forward(const at::Tensor& x, const Offsets& offsets,
                             MixerTrace* trace) const = 0;
};

/// The mixer of that name in the table of `mixer_registry.cc`; its parameters are created as
/// `<name>.<parameter>`. Throws std::invalid_argument for a name that is not in the table.
std::unique_ptr<Mixer> make_mixer(const EncoderConfig& config, ParameterStore& store,
                                  const std::string& name);

}  // namespace fastformer::nn

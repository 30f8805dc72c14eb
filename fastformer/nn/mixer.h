#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/nn/encoder_config.h"
#include "fastformer/nn/offsets.h"
#include "fastformer/nn/parameter_store.h"

namespace fastformer::nn {

/// The weights a mixer gave its tokens, for explanations; empty tensors where it has none.
struct MixerTrace {
  at::Tensor query_weights;  ///< alpha [T, h]
  at::Tensor key_weights;    ///< beta [T, h]
};

/// Takes the output y [n, d] of a mixer for the rows from `first` on.
using RowSink = std::function<void(std::int64_t first, const at::Tensor& y)>;

/// Lets the tokens of each sequence exchange information: x [T, d] -> [T, d].
class Mixer {
 public:
  virtual ~Mixer() = default;
  /// `trace` may be null. Immutable: many threads may call it.
  virtual at::Tensor forward(const at::Tensor& x, const Offsets& offsets,
                             MixerTrace* trace) const = 0;

  /// For inference: gives the output block by block, each row once, on several threads at a time.
  /// The rows of x that a block stands for are not read again, so that `sink` may overwrite them.
  /// Unless a mixer can do better, all of the output is computed first.
  virtual void stream(const at::Tensor& x, const Offsets& offsets, const RowSink& sink) const;

  /// Multiply-adds of `forward` on one sequence of so many tokens, products with parameters
  /// included; NaN where a mixer does not say.
  virtual double multiply_adds(std::int64_t tokens) const;
};

using MixerFactory = std::function<std::unique_ptr<Mixer>(
    const EncoderConfig& config, ParameterStore& store, const std::string& name)>;

/// Adds a mixer to those of `mixer_registry.cc`, for programs that bring their own: recipes, model
/// directories and the efficiency study know it from then on. To be called before other threads
/// use the library. Throws std::invalid_argument for a name that is taken.
///
///   nn::register_mixer("mean", [](const auto& config, auto& store, const auto& name) {
///     return std::make_unique<MeanMixer>(config, store, name);
///   });
void register_mixer(const std::string& name, MixerFactory factory);

/// The mixer of that name; its parameters are created as `<name>.<parameter>`. Throws
/// std::invalid_argument for a name that no mixer has.
std::unique_ptr<Mixer> make_mixer(const EncoderConfig& config, ParameterStore& store,
                                  const std::string& name);

}  // namespace fastformer::nn

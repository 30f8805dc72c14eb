#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/model/mixer_config.h"
#include "fastformer/nn/offsets.h"
#include "fastformer/nn/parameter_store.h"

namespace fastformer::nn {

/// The attention weights of a mixer's tokens, for explanations; undefined if the mixer has none.
struct MixerTrace {
  at::Tensor query_weights;  ///< alpha [T, h]
  at::Tensor key_weights;    ///< beta [T, h]
};

/// Receives output rows y [n, d] of a mixer, of which the first has the index `first` in the batch.
using RowSink = std::function<void(std::int64_t first, const at::Tensor& y)>;

/// Mixes the tokens of each sequence: x [T, d] -> [T, d].
class Mixer {
 public:
  virtual ~Mixer() = default;
  /// `trace` may be null. Immutable: several threads may call it at the same time.
  virtual at::Tensor forward(const at::Tensor& x, const Offsets& offsets,
                             MixerTrace* trace) const = 0;

  /// For inference: passes the output to `sink` in blocks, each row once, from several threads. The
  /// rows of x that belong to a block are not read again, so that `sink` may overwrite them. By
  /// default, the whole output is computed first.
  virtual void stream(const at::Tensor& x, const Offsets& offsets, const RowSink& sink) const;

  /// Multiply-adds of `forward` for one sequence of `tokens` tokens, including products with
  /// parameters; NaN if unknown.
  virtual double multiply_adds(std::int64_t tokens) const;
};

/// Creates a mixer with parameters named `<name>.<parameter>`.
template <class Fields>
using MixerFactory =
    std::function<std::unique_ptr<Mixer>(const model::MixerShape& shape, const Fields& fields,
                                         ParameterStore& store, const std::string& name)>;

/// The mixer that `config` names; its parameters are created as `<name>.<parameter>`.
std::unique_ptr<Mixer> make_mixer(const model::MixerConfig& config, const model::MixerShape& shape,
                                  ParameterStore& store, const std::string& name);

/// A row of the table of mixers.
struct MixerEntry {
  std::string name;
  MixerFactory<model::MixerFields> make;
};

template <class Fields>
MixerEntry mixer_entry(const std::string& name, MixerFactory<Fields> factory) {
  return {name, [factory = std::move(factory)](const model::MixerShape& shape,
                                               const model::MixerFields& fields,
                                               ParameterStore& store, const std::string& prefix) {
            const auto& typed = static_cast<const model::TypedMixerFields<Fields>&>(fields);
            return factory(shape, typed.value, store, prefix);
          }};
}

/// Throws std::invalid_argument if the name is already in use.
void add_mixer(MixerEntry entry);

/// Adds a mixer of another program to the table in `mixer.cc`. Recipes, model directories and the
/// efficiency study can then use it, with its fields in [model.mixer]. Call it before other threads
/// use the library. Throws std::invalid_argument if the name is already in use.
///
///   struct DecayFields {
///     double decay = 0.9;
///     void visit_fields(base::FieldVisitor& visit) { visit("decay", decay, "weight of a step"); }
///     void validate() const {}
///   };
///   nn::register_mixer<DecayFields>("decay", [](const model::MixerShape& shape,
///                                               const DecayFields& fields, auto& store,
///                                               const std::string& name) {
///     return std::make_unique<DecayMixer>(shape, fields, store, name);
///   });
///
/// For a mixer without fields, use model::NoMixerFields.
template <class Fields>
void register_mixer(const std::string& name, MixerFactory<Fields> factory) {
  model::add_mixer_fields(name, std::make_unique<model::TypedMixerFields<Fields>>());
  add_mixer(mixer_entry<Fields>(name, std::move(factory)));
}

}  // namespace fastformer::nn

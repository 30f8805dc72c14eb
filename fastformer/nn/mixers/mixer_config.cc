#include "fastformer/nn/mixers/mixer_config.h"

#include "fastformer/nn/mixers/mixer.h"

namespace fastformer::nn {

MixerConfig::MixerConfig() : MixerConfig("additive") {}

MixerConfig::MixerConfig(const std::string& name)
    : name_(name), fields_(default_mixer_fields(name)) {}

MixerConfig::MixerConfig(const MixerConfig& other)
    : name_(other.name_), fields_(other.fields_->clone()) {}

MixerConfig& MixerConfig::operator=(const MixerConfig& other) {
  auto copy = other;
  return *this = std::move(copy);
}

void MixerConfig::visit_fields(base::FieldVisitor& visit) {
  auto name = name_;
  visit("name", name,
        "additive (Fastformer), block_sparse (BigBird), linear (Linear Transformer), low_rank "
        "(Linformer), pooling (Poolingformer), sliding_window (Longformer), softmax (Transformer)",
        base::one_of(mixer_names()));
  if (name != name_) *this = MixerConfig(name);
  fields_->visit_fields(visit);
}

}  // namespace fastformer::nn

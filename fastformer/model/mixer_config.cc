#include "fastformer/model/mixer_config.h"

#include <deque>

#include "fastformer/base/registry.h"
#include "fastformer/model/additive_fields.h"

namespace fastformer::model {
namespace {

struct FieldsRow {
  std::string name;
  std::unique_ptr<MixerFields> defaults;
};

base::Registry<FieldsRow>& table() {
  static base::Registry<FieldsRow> rows = [] {
    std::deque<FieldsRow> additive;
    additive.push_back({"additive", std::make_unique<TypedMixerFields<AdditiveFields>>()});
    return base::Registry<FieldsRow>("mixer", std::move(additive));
  }();
  return rows;
}

}  // namespace

std::vector<std::string> mixer_names() { return table().names(); }

std::unique_ptr<MixerFields> default_mixer_fields(const std::string& name) {
  return table().find(name).defaults->clone();
}

void add_mixer_fields(const std::string& name, std::unique_ptr<MixerFields> defaults) {
  table().add({name, std::move(defaults)});
}

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

}  // namespace fastformer::model

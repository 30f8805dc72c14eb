#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::model {

/// The properties of an encoder that its mixers depend on.
struct MixerShape {
  std::int64_t width = 256;
  std::int64_t heads = 16;
  bool output_projection = true;
};

/// A type-erased struct with the fields of one mixer.
class MixerFields {
 public:
  virtual ~MixerFields() = default;
  virtual std::unique_ptr<MixerFields> clone() const = 0;
  virtual void visit_fields(base::FieldVisitor& visit) = 0;
  virtual void validate() const = 0;
};

/// Wraps a plain struct that has visit_fields() and validate().
template <class Fields>
class TypedMixerFields final : public MixerFields {
 public:
  std::unique_ptr<MixerFields> clone() const override {
    return std::make_unique<TypedMixerFields>(*this);
  }
  void visit_fields(base::FieldVisitor& visit) override { value.visit_fields(visit); }
  void validate() const override { value.validate(); }

  Fields value;
};

/// The mixers that recipes can name: "additive", and those that `nn` and programs add.
std::vector<std::string> mixer_names();

/// The default fields of a mixer. Throws std::invalid_argument for an unknown name.
std::unique_ptr<MixerFields> default_mixer_fields(const std::string& name);

/// Adds a mixer; call it before other threads use the library. Throws std::invalid_argument if the
/// name is already in use.
void add_mixer_fields(const std::string& name, std::unique_ptr<MixerFields> defaults);

/// The fields of a mixer without fields.
struct NoMixerFields {
  void visit_fields(base::FieldVisitor& /*visit*/) {}
  void validate() const {}
};

/// The mixer of an encoder with its fields: the table [model.mixer] of a recipe. Fields of other
/// mixers are unknown keys in this table.
///
///   [model.mixer]
///   name = "sliding_window"
///   window = 256
///
///   MixerConfig config("sliding_window");
///   config.fields<SlidingWindowFields>().window = 256;
class MixerConfig {
 public:
  /// Additive attention with its default fields.
  MixerConfig();
  /// A mixer with its default fields. Throws std::invalid_argument for an unknown name.
  explicit MixerConfig(const std::string& name);
  MixerConfig(const MixerConfig& other);
  MixerConfig& operator=(const MixerConfig& other);
  MixerConfig(MixerConfig&&) noexcept = default;
  MixerConfig& operator=(MixerConfig&&) noexcept = default;
  ~MixerConfig() = default;

  const std::string& name() const { return name_; }

  /// Throws std::logic_error if the mixer has fields of another type.
  template <class Fields>
  Fields& fields() {
    return const_cast<Fields&>(std::as_const(*this).template fields<Fields>());
  }
  template <class Fields>
  const Fields& fields() const {
    const auto* found = find_fields<Fields>();
    if (found != nullptr) return *found;
    throw std::logic_error("the mixer '" + name_ + "' has fields of another type");
  }
  /// Null if the mixer has fields of another type.
  template <class Fields>
  Fields* find_fields() {
    return const_cast<Fields*>(std::as_const(*this).template find_fields<Fields>());
  }
  template <class Fields>
  const Fields* find_fields() const {
    const auto* typed = dynamic_cast<const TypedMixerFields<Fields>*>(fields_.get());
    return typed == nullptr ? nullptr : &typed->value;
  }
  const MixerFields& erased_fields() const { return *fields_; }

  /// Visits the name, then the fields of the mixer with that name. If the visitor has changed the
  /// name, these fields have their default values.
  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const { fields_->validate(); }

 private:
  std::string name_;
  std::unique_ptr<MixerFields> fields_;
};

}  // namespace fastformer::model

#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "fastformer/base/format.h"

namespace fastformer::base {

/// The words of an enum in a configuration, in the order of its values 0, 1, ...
///
///   enum class Activation : std::uint8_t { kGelu, kRelu };
///   template <> inline constexpr std::array kWords<Activation> = {"gelu", "relu"};
template <class Enum>
inline constexpr std::array<const char*, 0> kWords = {};

/// The word of a value: "gelu" for Activation::kGelu.
template <class Enum>
const char* word_of(Enum value) {
  return kWords<Enum>.at(static_cast<std::size_t>(value));
}

template <class Enum>
std::vector<std::string> words() {
  return {kWords<Enum>.begin(), kWords<Enum>.end()};
}

/// The value of a word. Throws std::invalid_argument for an unknown word; the message begins with
/// `what` and suggests the nearest word.
template <class Enum>
Enum parse_word(std::string_view word, const std::string& what) {
  for (std::size_t i = 0; i < kWords<Enum>.size(); ++i) {
    if (word == kWords<Enum>[i]) return static_cast<Enum>(i);
  }
  throw std::invalid_argument(what + " cannot be '" + std::string(word) + "'" +
                              suggestion(word, words<Enum>()));
}

/// A type-erased reference to an enum field.
struct EnumField {
  std::uint8_t* value;
  std::span<const char* const> words;
};

/// A reference to a field of any type that a configuration can have.
using FieldRef =
    std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<std::string>*, EnumField>;

/// What a field's value must satisfy, beyond its type.
struct Constraint {
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;  ///< for text fields; empty: any text
  bool path = false;                 ///< the texts are paths of files or folders
};

inline Constraint between(double minimum, double maximum) { return {minimum, maximum, {}}; }
inline Constraint at_least(double minimum) {
  return {minimum, std::numeric_limits<double>::infinity(), {}};
}
inline Constraint one_of(std::vector<std::string> choices) {
  return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity(),
          std::move(choices)};
}
inline Constraint file_path() { return {.choices = {}, .path = true}; }

/// Visits the fields of a configuration. A configuration has one function that visits each of its
/// fields; files, flags, help texts and metadata all use that function, so that adding a field
/// changes only its struct.
///
///   struct TrainConfig {
///     double learning_rate = 1e-3;
///     Schedule schedule = Schedule::kLinear;
///     MixerConfig mixer;
///
///     void visit_fields(base::FieldVisitor& visit) {
///       visit("learning_rate", learning_rate, "peak step size", base::at_least(0));
///       visit("schedule", schedule, "learning rate after the warm-up");
///       visit.table("mixer", mixer, "how tokens exchange information");  // [train.mixer]
///     }
///     void validate() const;  // conditions on several fields
///   };
///
/// Field types: bool, std::int64_t, double, std::string, std::vector<std::string>, one-byte enums
/// with kWords, and tables.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;

  template <class Field>
  void operator()(const std::string& name, Field& field, const char* help,
                  const Constraint& constraint = {}) {
    if constexpr (std::is_enum_v<Field>) {
      static_assert(sizeof(Field) == 1 && !kWords<Field>.empty());
      visit(name, EnumField{reinterpret_cast<std::uint8_t*>(&field), kWords<Field>}, help,
            constraint);
    } else {
      visit(name, &field, help, constraint);
    }
  }

  /// Visits a configuration nested in this one.
  template <class Config>
  void table(const std::string& name, Config& config, const char* help) {
    begin_table(name, help);
    config.visit_fields(*this);
    end_table();
  }

 protected:
  virtual void visit(const std::string& name, FieldRef field, const char* help,
                     const Constraint& constraint) = 0;
  virtual void begin_table(const std::string& name, const char* help) = 0;
  virtual void end_table() = 0;
};

}  // namespace fastformer::base

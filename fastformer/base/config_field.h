#pragma once

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace fastformer::base {

/// What a field's value must satisfy, beyond its type.
struct Constraint {
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;  ///< for text fields; empty means any text
};

inline Constraint between(double minimum, double maximum) { return {minimum, maximum, {}}; }
inline Constraint at_least(double minimum) {
  return {minimum, std::numeric_limits<double>::infinity(), {}};
}
inline Constraint one_of(std::vector<std::string> choices) {
  return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity(),
          std::move(choices)};
}

/// How a configuration describes itself: one static function that visits every field, from which
/// come the reader of files, the flags, the help text and the metadata. A new field touches only
/// its struct.
///
///   struct TrainConfig {
///     double learning_rate = 1e-3;
///     std::string schedule = "linear";
///
///     template <class Self, class Visitor>
///     static void visit_fields(Self& self, Visitor&& visit) {
///       visit("learning_rate", self.learning_rate, "peak step size", base::at_least(0));
///       visit("schedule", self.schedule, "decay", base::one_of({"linear", "cosine"}));
///     }
///     void validate() const;  // what spans more than one field
///   };
///
/// Field types: bool, std::int64_t, double, std::string, std::vector<std::string>.

}  // namespace fastformer::base

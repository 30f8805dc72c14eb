#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::linear {

/// The recipe's [linear] section: linear classifiers of n-grams, pooled with the network.
struct LinearConfig {
  std::vector<std::string> members = {"tfidf", "naive_bayes"};
  std::int64_t words = 3;
  std::int64_t characters = kAutomatic;
  double c = 0;

  static constexpr std::int64_t kAutomatic = -1;

  bool enabled() const { return !members.empty(); }
  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

}  // namespace fastformer::linear

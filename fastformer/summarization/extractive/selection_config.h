#pragma once

#include <array>
#include <cstdint>

#include "fastformer/base/config_field.h"
#include "fastformer/base/config_tree.h"

namespace fastformer::summarization {

/// How sentences that repeat others are kept out of a summary.
enum class Redundancy : std::uint8_t { kNone, kTrigram, kMmr };

/// How sentences are chosen by their scores: the recipe's [selection] section.
struct SelectionConfig {
  std::int64_t sentences = 3;
  std::int64_t words = 0;
  double ratio = 0;
  Redundancy redundancy = Redundancy::kNone;
  double mmr_weight = 0.3;
  bool tune = true;

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;

  /// Overrides fields by those of the section [selection] of `tree`. A section with a limit
  /// (sentences, words or ratio) replaces all three. Throws as ConfigTree::read_section() does.
  void override_by(const base::ConfigTree& tree);
};

}  // namespace fastformer::summarization

namespace fastformer::base {
template <>
inline constexpr std::array kWords<summarization::Redundancy> = {"none", "trigram", "mmr"};
}  // namespace fastformer::base

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::summarization {

/// How the tokens of a summary are chosen.
enum class SearchMethod : std::uint8_t { kBeam, kGreedy, kSample };

/// How summaries are generated: the recipe's [search] section.
struct SearchConfig {
  SearchMethod method = SearchMethod::kBeam;
  std::int64_t beams = 5;
  double length_penalty = 1;
  std::int64_t min_tokens = 0;
  std::int64_t max_tokens = 128;
  std::int64_t blocked_ngram = 3;
  std::vector<std::string> repeatable;
  double temperature = 1;
  double top_p = 0.9;
  std::int64_t seed = 1;

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

}  // namespace fastformer::summarization

namespace fastformer::base {
template <>
inline constexpr std::array kWords<summarization::SearchMethod> = {"beam", "greedy", "sample"};
}  // namespace fastformer::base

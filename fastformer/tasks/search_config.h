#pragma once

#include <cstdint>
#include <string>

#include "fastformer/base/config_field.h"

namespace fastformer::tasks {

/// How summaries are searched for: the recipe's section [search].
struct SearchConfig {
  std::string method = "beam";
  std::int64_t beams = 5;
  double length_penalty = 1;
  std::int64_t min_tokens = 0;
  std::int64_t max_tokens = 128;
  std::int64_t blocked_ngram = 3;
  double temperature = 1;
  double top_p = 0.9;
  std::int64_t seed = 1;

  void visit_fields(base::FieldVisitor& visit) {
    visit("method", method, "how the tokens of a summary are chosen",
          base::one_of({"beam", "greedy", "sample"}));
    visit("beams", beams, "summaries that the beam search follows at a time",
          base::between(1, 1024));
    visit("length_penalty", length_penalty,
          "power of its length by which the log-probability of a summary is divided",
          base::between(-10, 10));
    visit("min_tokens", min_tokens, "fewest tokens of a summary", base::between(0, 1 << 20));
    visit("max_tokens", max_tokens, "most tokens of a summary, its end counted",
          base::between(1, 1 << 20));
    visit("blocked_ngram", blocked_ngram,
          "tokens in a row that a summary must not hold twice; 0: no such rule",
          base::between(0, 1024));
    visit("temperature", temperature, "of sampling; below 1: closer to the likeliest token",
          base::between(0.01, 100));
    visit("top_p", top_p, "share of the probability, from the top, that is sampled from",
          base::between(0.001, 1));
    visit("seed", seed, "of sampling", base::at_least(0));
  }
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

}  // namespace fastformer::tasks

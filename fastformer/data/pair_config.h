#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::data {

/// Where the pairs of document and summary are, and how they are divided and cut.
struct PairDataConfig {
  std::string format = "jsonl";
  std::vector<std::string> train;
  std::vector<std::string> validation;
  std::vector<std::string> test;
  std::string source_field = "source";
  std::string target_field = "target";
  double validation_fraction = 0.0;
  std::int64_t split_seed = 1;
  std::int64_t max_source_tokens = 1024;
  std::int64_t max_target_tokens = 128;
  std::int64_t min_source_tokens = 1;
  std::int64_t min_target_tokens = 1;
  std::string cache;

  void visit_fields(base::FieldVisitor& visit) {
    visit("format", format, "a row of the pair reader registry",
          base::one_of({"jsonl", "story", "pubmed", "parallel"}));
    visit("train", train, "files or folders with the training pairs");
    visit("validation", validation, "the validation pairs; else a part of train");
    visit("test", test, "the test pairs");
    visit("source_field", source_field,
          "jsonl: the field of the document; parallel: the ending of its file's name");
    visit("target_field", target_field,
          "jsonl: the field of the summary; parallel: the ending of its file's name");
    visit("validation_fraction", validation_fraction, "part of train kept for validation",
          base::between(0, 0.9));
    visit("split_seed", split_seed, "what decides the parts");
    visit("max_source_tokens", max_source_tokens,
          "longer documents lose their tail; 0: no limit", base::at_least(0));
    visit("max_target_tokens", max_target_tokens,
          "longer summaries lose their tail; 0: no limit", base::at_least(0));
    visit("min_source_tokens", min_source_tokens, "pairs with a shorter document are left out",
          base::at_least(1));
    visit("min_target_tokens", min_target_tokens, "pairs with a shorter summary are left out",
          base::at_least(1));
    visit("cache", cache, "folder of the token cache; empty: next to the run");
  }
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

}  // namespace fastformer::data

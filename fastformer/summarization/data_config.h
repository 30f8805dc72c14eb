#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/data/dialect.h"
#include "fastformer/data/text_encoding.h"

namespace fastformer::summarization {

/// The files of documents and summaries, and how they are split and truncated.
struct DataConfig {
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
  data::DialectConfig dialect;
  data::TextEncoding encoding;

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

}  // namespace fastformer::summarization

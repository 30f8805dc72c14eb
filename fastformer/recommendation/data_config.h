#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/data/text_encoding.h"

namespace fastformer::recommendation {

/// The recipe's [data] section for recommendation: the files of items and clicks, and how the
/// clicks are split.
struct DataConfig {
  std::string format = "mind";
  std::vector<std::string> train;
  std::vector<std::string> validation;
  std::vector<std::string> test;
  std::vector<std::string> news;
  double validation_fraction = 0;
  double test_fraction = 0;
  std::vector<std::string> title_columns = {"title"};
  std::string category_column;
  std::int64_t title_tokens = 48;
  std::int64_t history = 50;
  double click_rating = 4;
  std::int64_t sampled_negatives = 20;
  std::int64_t sampling_seed = 1;
  data::TextEncoding encoding;

  void visit_fields(base::FieldVisitor& visit);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

}  // namespace fastformer::recommendation

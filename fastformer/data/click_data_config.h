#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::data {

/// The recipe's [data] section for recommendation: where the news and the clicks are and how they
/// are divided.
struct ClickDataConfig {
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

  void visit_fields(base::FieldVisitor& visit) {
    visit("format", format, "a row of the click reader registry",
          base::one_of({"mind", "recbole", "debian"}));
    visit("train", train, "folders (or files) with the training impressions");
    visit("validation", validation, "those of validation; else the last part of train");
    visit("test", test, "those of the test; else the last part of train");
    visit("news", news, "mind: more news.tsv files than those beside the impressions");
    visit("validation_fraction", validation_fraction,
          "last part of train, by time, kept for validation", base::between(0, 0.9));
    visit("test_fraction", test_fraction, "last part of train, by time, kept for test",
          base::between(0, 0.9));
    visit("title_columns", title_columns, "columns joined into what is read of a news");
    visit("category_column", category_column,
          "column of the category; empty: that of the format, if it has one");
    visit("title_tokens", title_tokens, "longer titles lose their tail",
          base::between(1, 1 << 20));
    visit("history", history, "the last clicks of a user that count",
          base::between(1, 1 << 20));
    visit("click_rating", click_rating, "recbole: a rating from here on is a click");
    visit("sampled_negatives", sampled_negatives,
          "recbole, debian: items drawn against each click, of those the user never met",
          base::between(1, 1 << 20));
    visit("sampling_seed", sampling_seed, "what decides these items");
  }
  /// Throws std::invalid_argument with one sentence.
  void validate() const;
};

}  // namespace fastformer::data

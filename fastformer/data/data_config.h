#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"

namespace fastformer::data {

/// The recipe's [data] section: where the examples are and how they are divided.
struct DataConfig {
  std::string format = "csv";
  std::vector<std::string> train;
  std::vector<std::string> validation;
  std::vector<std::string> test;
  std::string text_columns_separator = " ";
  std::vector<std::string> text_columns;
  std::vector<std::string> test_text_columns;
  std::string label_column;
  std::string group_column;
  std::string header = "auto";
  double validation_fraction = 0.0;
  double test_fraction = 0.0;
  bool stratify = true;
  std::int64_t split_seed = 1;
  std::int64_t max_tokens = 512;
  std::string imdb_labels = "classes";
  bool mind_body = false;
  std::int64_t minimum_class_count = 1;
  std::string cache;

  void visit_fields(base::FieldVisitor& visit) {
    visit("format", format, "a row of the reader registry",
          base::one_of({"csv", "tsv", "jsonl", "imdb", "mind", "debian"}));
    visit("train", train, "files or folders with the training examples");
    visit("validation", validation, "the validation examples; else a part of train");
    visit("test", test, "the test examples; else a part of train");
    visit("text_columns", text_columns,
          "columns (names, or numbers from 1) joined into the text");
    visit("test_text_columns", test_text_columns,
          "those of the test files, where they are others; empty: the same");
    visit("text_columns_separator", text_columns_separator, "what joins them");
    visit("label_column", label_column, "column (name, or number from 1) of the label");
    visit("group_column", group_column, "rows with equal values never cross a split");
    visit("header", header, "whether the first row of a csv or tsv names the columns",
          base::one_of({"auto", "yes", "no"}));
    visit("validation_fraction", validation_fraction, "part of train kept for validation",
          base::between(0, 0.9));
    visit("test_fraction", test_fraction, "part of train kept for test",
          base::between(0, 0.9));
    visit("stratify", stratify, "keep the class proportions in every part");
    visit("split_seed", split_seed, "what decides the parts");
    visit("max_tokens", max_tokens, "longer documents lose their tail; 0: no limit",
          base::at_least(0));
    visit("imdb_labels", imdb_labels, "imdb: two classes, or the rating in the file name",
          base::one_of({"classes", "ratings"}));
    visit("mind_body", mind_body, "mind: add the body column where the file has one");
    visit("minimum_class_count", minimum_class_count,
          "classes with fewer training examples are left out", base::at_least(1));
    visit("cache", cache, "folder of the token cache; empty: next to the run");
  }
  /// Throws std::invalid_argument with one sentence.
  void validate() const;

  /// How the test files are read: with their own text columns.
  DataConfig for_test() const;
};

}  // namespace fastformer::data

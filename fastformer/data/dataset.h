#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/data/data_config.h"
#include "fastformer/data/token_set.h"
#include "fastformer/text/tokenizer.h"
#include "fastformer/text/tokenizer_config.h"

namespace fastformer::data {

/// A data set ready for training: every document as token ids, every label as its position in
/// `labels`.
struct Dataset {
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::vector<std::string> labels;  ///< sorted: by value if all are numbers, else by bytes
  TokenSet train, validation, test;
  std::int64_t dropped_rows = 0;  ///< rows of the classes under minimum_class_count
  std::int64_t dropped_classes = 0;

  /// A table for people: rows of each class and part, document lengths (mean, median, longest),
  /// documents cut and empty, and what was left out.
  std::string summary() const;
};

/// Reads the sources, divides them and turns them into tokens.
///
///   const Dataset dataset = prepare(config, text_config, "runs/ag_news/cache");
///   std::puts(dataset.summary().c_str());
///
/// Labels and vocabulary come from the training part alone. The result lies in
/// `cache_folder`/<key>, where the key covers both configurations and the names, sizes and times of
/// the source files: a second call opens it without reading them. Memory holds 16 bytes a row, the
/// vocabulary and a few megabytes.
///
/// Throws std::invalid_argument with one sentence for whatever a reader refuses, for a row without
/// label, for fewer than two classes and for a label that only the validation or test part has.
Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config,
                const std::filesystem::path& cache_folder);

/// The tokens of `files` for a model that knows `labels`, written to `cache_file` and opened.
/// Without a label column (csv, tsv, jsonl) every label is -1. Throws std::invalid_argument for a
/// label outside `labels`, naming file and line.
TokenSet tokenize_for_evaluation(const DataConfig& config,
                                 const std::vector<std::filesystem::path>& files,
                                 const text::Tokenizer& tokenizer,
                                 const std::vector<std::string>& labels,
                                 const std::filesystem::path& cache_file);

}  // namespace fastformer::data

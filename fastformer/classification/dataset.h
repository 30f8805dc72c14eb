#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/data/cache.h"
#include "fastformer/data/corpus.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::classification {

/// Documents as token ids, and the classes of each.
struct LabelledCorpus {
  data::Corpus texts;
  data::Corpus labels;  ///< row i: positions in Dataset::labels of the labels of document i

  std::int64_t size() const { return texts.size(); }
  std::int32_t label(std::int64_t row) const { return labels.tokens(row).front(); }
};

/// A data set ready for training.
struct Dataset {
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::vector<std::string> labels;  ///< sorted: by value if all are numbers, else by bytes
  LabelledCorpus train, validation, test;
  std::int64_t dropped_rows = 0;  ///< rows of the classes under minimum_class_count
  std::int64_t dropped_classes = 0;

  /// A table for people: rows of each class and part, document lengths (mean, median, longest),
  /// documents that were truncated and empty ones, and what was dropped.
  std::string summary() const;
};

/// Reads the sources, divides them and turns them into tokens.
///
///   const Dataset dataset = prepare(config, text_config, "runs/ag_news/cache");
///   std::puts(dataset.summary().c_str());
///
/// Labels and vocabulary come from the training part alone. The result lies in
/// `cache_folder`/<key>, where the key covers both configurations and the names, sizes and times of
/// the source files: a second call opens it without reading them. Memory holds 16 bytes per row,
/// the vocabulary and a few megabytes.
///
/// Throws std::invalid_argument with one sentence for whatever a reader refuses, for a row without
/// label, for fewer than two classes and for a label that only the validation or test part has.
Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config,
                const std::filesystem::path& cache_folder, const data::Notice& notice = {});

/// The same for examples in memory, without any file. Throws as above.
Dataset prepare(std::span<const Example> examples, const DataConfig& config,
                const text::TokenizerConfig& text_config);

/// Reads labelled files for a model that knows `labels`, some 16 MB of tokens at a time, and calls
/// `use` with each piece: memory does not grow with the files. Throws std::invalid_argument for a
/// label outside `labels`, naming file and line.
void for_each_labelled_piece(const DataConfig& config, const std::vector<std::string>& files,
                             const text::Tokenizer& tokenizer,
                             const std::vector<std::string>& labels,
                             const std::function<void(const LabelledCorpus&)>& use);

}  // namespace fastformer::classification

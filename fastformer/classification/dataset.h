#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/linear_part.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/data/cache.h"
#include "fastformer/data/corpus.h"
#include "fastformer/linear/linear_config.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::classification {

/// Documents as token ids, and the classes of each.
struct LabelledCorpus {
  data::Corpus texts;
  data::Corpus ngrams;  ///< columns of Dataset::linear's table; without linear members empty
  /// Row i: positions in Dataset::labels of the labels of document i, ascending. One if the labels
  /// are classes.
  data::Corpus labels;

  std::int64_t size() const { return texts.size(); }
  std::int32_t label(std::int64_t row) const { return labels.tokens(row).front(); }
  /// The class of each document.
  std::vector<std::int32_t> all_labels() const;
  linear::Targets targets(std::int64_t classes, bool several) const;
  /// Documents of each class.
  std::vector<std::int64_t> class_counts(std::size_t classes) const;
};

/// A data set ready for training.
struct Dataset {
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::vector<std::string> labels;  ///< sorted: by value if all are numbers, else by bytes
  bool several_labels = false;      ///< DataConfig::several_labels()
  LabelledCorpus train, validation, test;
  std::optional<LinearPart> linear;  ///< with equal weights; none: the network stands alone
  std::int64_t dropped_rows = 0;     ///< rows of the classes under minimum_class_count
  std::int64_t dropped_classes = 0;
  std::vector<std::string> notices;  ///< what people should know about the files, a sentence each

  /// A readable table: rows of each class and part, document lengths (mean, median, longest), and
  /// numbers of truncated, empty and dropped documents.
  std::string summary() const;
};

/// Reads the sources, splits them, tokenizes them and fits the linear members.
///
///   const Dataset dataset = prepare(config, text_config, linear_config, "runs/ag_news/cache");
///   std::puts(dataset.summary().c_str());
///
/// Labels and vocabulary come from the training part alone. The result is stored in
/// `cache_folder`/<key>, where the key covers the configurations and the names, sizes and times of
/// the source files: a second call opens it without reading them. Memory holds 16 bytes per row,
/// the vocabulary and a few megabytes.
///
/// Throws std::invalid_argument with one sentence for input that a reader refuses, for a row
/// without label, for fewer than two classes and for a class that occurs only in the validation or
/// test part.
Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config,
                const linear::LinearConfig& linear_config,
                const std::filesystem::path& cache_folder, const data::Notice& notice = {});

/// The same for examples in memory, without any file. Throws as above.
Dataset prepare(std::span<const Example> examples, const DataConfig& config,
                const text::TokenizerConfig& text_config,
                const linear::LinearConfig& linear_config);

/// Reads labelled files for a model with the classes `labels`, about 16 MB of tokens at a time, and
/// calls `use` for each piece, so that memory does not grow with the files. `ngrams` and `notices`
/// may be null. Throws std::invalid_argument for a class outside `labels`, naming file and line; of
/// several labels, those outside are dropped with a notice.
void for_each_labelled_piece(const DataConfig& config, const std::vector<std::string>& files,
                             const text::Tokenizer& tokenizer, const linear::NgramTable* ngrams,
                             const std::vector<std::string>& labels,
                             const std::function<void(const LabelledCorpus&)>& use,
                             std::vector<std::string>* notices = nullptr);

}  // namespace fastformer::classification

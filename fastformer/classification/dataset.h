#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/data/cache.h"
#include "fastformer/data/corpus.h"
#include "fastformer/linear/linear_config.h"
#include "fastformer/linear/linear_part.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::classification {

/// Documents as token ids, with their labels.
struct LabelledCorpus {
  data::Corpus texts;
  data::Corpus ngrams;  ///< columns of Dataset::linear's n-gram table; empty without it
  /// Row i: the labels of document i as indices into Dataset::labels, ascending; one if the labels
  /// are classes.
  data::Corpus labels;

  std::int64_t size() const { return texts.size(); }
  std::int32_t label(std::int64_t row) const { return labels.tokens(row).front(); }
  /// The class of each document, [N].
  std::vector<std::int32_t> all_labels() const;
  linear::Targets targets(std::int64_t classes, bool several) const;
  /// Number of documents of each class, [classes].
  std::vector<std::int64_t> class_counts(std::size_t classes) const;
};

/// The most n-grams of all texts that linear members are fitted on at a time: 4 GB in LIBLINEAR.
inline constexpr std::int64_t kMostNgrams = std::int64_t{1} << 27;

/// The n-grams and labels of these parts, one after another, as the linear members take them. Of
/// parts with more than `most_ngrams` n-grams it takes every second text, or every third, and so
/// on.
linear::LabelledRows linear_rows(std::initializer_list<const LabelledCorpus*> parts,
                                 std::int64_t classes, bool several,
                                 std::int64_t most_ngrams = kMostNgrams);

/// A data set ready for training.
struct Dataset {
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::vector<std::string> labels;  ///< sorted by value if all are numbers, else by bytes
  bool several_labels = false;      ///< DataConfig::several_labels()
  LabelledCorpus train, validation, test;
  LabelledCorpus unlabelled;  ///< more texts to learn from, each with an empty row of labels
  std::optional<linear::LinearPart> linear;  ///< with equal weights; nullopt: only the network
  std::int64_t dropped_rows = 0;  ///< rows of classes with fewer than minimum_class_count
  std::int64_t dropped_classes = 0;
  std::vector<std::string> notices;  ///< notices about the files, one sentence each

  /// A text table: rows of each class and part, document lengths (mean, median, longest), and
  /// numbers of truncated, empty and dropped documents.
  std::string summary() const;
};

/// What prepared data take over from the model that training starts from (train.from): all words
/// and labels keep their numbers, and new ones follow.
struct StartingPoint {
  std::filesystem::path directory;  ///< of the model, with its tokenizer
  std::vector<std::string> labels;
};

/// Reads the sources, splits and tokenizes them, and fits the linear members.
///
///   const Dataset dataset = prepare(config, text_config, linear_config, "runs/ag_news/cache");
///   std::puts(dataset.summary().c_str());
///
/// Labels come only from the training part, the vocabulary from it and the unlabelled texts; they
/// follow those of `start`, which may be null. The result is stored in `cache_folder`/<key>; the
/// key depends on the configurations and on names, sizes and times of the source files. A second
/// call opens the result without reading these files. Memory use: 16 bytes per row, the vocabulary,
/// and a few megabytes.
///
/// Throws std::invalid_argument with one sentence for input that a reader rejects, a row
/// without a label, fewer than two classes, and a class that occurs only in the validation or
/// test part.
Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config,
                const linear::LinearConfig& linear_config,
                const std::filesystem::path& cache_folder, const data::Notice& notice = {},
                const StartingPoint* start = nullptr);

/// The same for examples in memory; writes no file. Throws as above.
Dataset prepare(std::span<const Example> examples, const DataConfig& config,
                const text::TokenizerConfig& text_config, const linear::LinearConfig& linear_config,
                const StartingPoint* start = nullptr);

/// Reads labelled files for a model with the classes `labels` and calls `use` with pieces of about
/// 16 MB of tokens, so that memory does not grow with the files. `ngrams` and `notices` may be
/// null. Throws std::invalid_argument for a class that is not in `labels`, naming file and line; of
/// several labels per document, others are dropped with a notice.
void for_each_labelled_piece(const DataConfig& config, const std::vector<std::string>& files,
                             const text::Tokenizer& tokenizer, const linear::NgramTable* ngrams,
                             const std::vector<std::string>& labels,
                             const std::function<void(const LabelledCorpus&)>& use,
                             std::vector<std::string>* notices = nullptr);

}  // namespace fastformer::classification

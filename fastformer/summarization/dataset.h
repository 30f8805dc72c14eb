#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fastformer/data/batch.h"
#include "fastformer/data/cache.h"
#include "fastformer/data/corpus.h"
#include "fastformer/summarization/data_config.h"
#include "fastformer/summarization/readers/reader.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::summarization {

/// Documents and summaries as token ids; row i of one belongs to row i of the other.
struct PairCorpus {
  data::Corpus source, target;

  std::int64_t size() const { return source.size(); }
  /// Tokens of document and summary of each row, for plans of batches.
  std::vector<std::int64_t> lengths() const;
};

/// Documents and their summaries. Summaries have no begin and end tokens: the model adds them.
struct PairBatch {
  data::TokenBatch source, target;
};

/// Copies rows into a batch. Throws std::out_of_range for a row that the corpus does not have.
PairBatch gather(const PairCorpus& corpus, std::span<const std::int64_t> rows);

/// Pairs that were dropped from a part.
struct DroppedPairs {
  std::int64_t empty = 0;      ///< without document or without summary
  std::int64_t too_short = 0;  ///< with fewer tokens than the minimum
};

/// Pairs of document and summary ready for training, and their shared vocabulary.
struct Dataset {
  std::unique_ptr<text::Tokenizer> tokenizer;
  PairCorpus train, validation, test;
  DroppedPairs train_dropped, validation_dropped, test_dropped;

  /// A readable table: pairs of each part, lengths of documents and summaries, numbers of truncated
  /// texts and of dropped pairs.
  std::string summary() const;
};

/// Reads the sources, splits them and tokenizes them.
///
///   const Dataset dataset = prepare(config, text_config, "runs/summaries/cache");
///   std::puts(dataset.summary().c_str());
///
/// The vocabulary is learned from documents and summaries of the training part alone. Pairs with
/// equal documents never cross a split. The result is stored in `cache_folder`/<key>, where the key
/// covers both configurations and the names, sizes and times of the source files; a second call
/// opens it without reading them.
///
/// `start` is the directory of a model whose vocabulary is used, and extended where it can be;
/// empty: none.
///
/// Throws std::invalid_argument with one sentence for input that a reader refuses, and if no
/// training pair is left.
Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config,
                const std::filesystem::path& cache_folder, const data::Notice& notice = {},
                const std::filesystem::path& start = {});

/// The same for pairs in memory, without any file.
Dataset prepare(std::span<const TextPair> pairs, const DataConfig& config,
                const text::TokenizerConfig& text_config, const std::filesystem::path& start = {});

/// The pairs of `entries`, in memory, for an existing model and tokenizer. Throws as prepare()
/// does, and if no pair is left.
PairCorpus read_pairs(const DataConfig& config, const std::vector<std::string>& entries,
                      const text::Tokenizer& tokenizer);

/// The texts of a corpus' rows, in their order, read again from its files, for ROUGE. `entries` are
/// those of the part, or config.train for a validation part taken from it. Throws
/// std::invalid_argument if the files have changed and hold fewer pairs.
std::vector<TextPair> read_texts(const DataConfig& config, const std::vector<std::string>& entries,
                                 const PairCorpus& corpus);

}  // namespace fastformer::summarization

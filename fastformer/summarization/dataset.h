#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
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

/// Documents and summaries as token ids; row i of `source` belongs to row i of `target`.
struct PairCorpus {
  data::Corpus source, target;

  std::int64_t size() const { return source.size(); }
  /// Number of ids in `source` and `target` together, for each row; used to plan batches.
  std::vector<std::int64_t> lengths() const;
};

/// A batch of documents and summaries. The model adds begin and end tokens to the summaries.
struct PairBatch {
  data::TokenBatch source, target;
};

/// Copies rows into a batch. Throws std::out_of_range for a row that the corpus does not have.
PairBatch gather(const PairCorpus& corpus, std::span<const std::int64_t> rows);

/// Numbers of pairs that were dropped from a part.
struct DroppedPairs {
  std::int64_t empty = 0;      ///< document or summary is empty
  std::int64_t too_short = 0;  ///< document or summary has fewer tokens than the minimum
};

/// Pairs of document and summary, ready for training, with their shared vocabulary.
struct Dataset {
  std::unique_ptr<text::Tokenizer> tokenizer;
  PairCorpus train, validation, test;
  DroppedPairs train_dropped, validation_dropped, test_dropped;
  bool target_is_text = true;  ///< see PairEncoding

  /// A text table: pairs of each part, lengths of documents and, if they are stored, of summaries,
  /// numbers of truncated texts and of dropped pairs.
  std::string summary() const;
};

/// A pair as token ids, before it is stored.
struct EncodedPair {
  text::LimitedIds source, target;
};

/// How pairs become rows of a PairCorpus.
struct PairEncoding {
  std::string name;  ///< part of the cache's key
  /// Largest value in `target`; 0: that of the vocabulary's tokens.
  std::int32_t most_target_id = 0;
  bool target_is_text = true;  ///< whether `target` has the tokens of the summary
  /// Called from several threads; nullopt for a pair that is shorter than `config` allows.
  std::function<std::optional<EncodedPair>(const text::Tokenizer& tokenizer,
                                           const DataConfig& config, const TextPair& pair)>
      encode;
};

/// Both texts as tokens, truncated to the limits of the configuration.
const PairEncoding& token_pairs();

/// Reads, splits and tokenizes the sources.
///
///   const Dataset dataset = prepare(config, text_config, "runs/summaries/cache");
///   std::puts(dataset.summary().c_str());
///
/// The vocabulary is learned only from the training part's documents and summaries. Pairs with
/// equal documents go to the same part. The result is stored in `cache_folder`/<key>; the key
/// depends on both configurations and on names, sizes and times of the source files. A second call
/// opens the result without reading these files.
///
/// `start` is the directory of a model whose vocabulary is used and, if possible, extended; empty:
/// none.
///
/// Throws std::invalid_argument with one sentence for input that a reader rejects, and if no
/// training pair remains.
Dataset prepare(const DataConfig& config, const text::TokenizerConfig& text_config,
                const std::filesystem::path& cache_folder, const data::Notice& notice = {},
                const std::filesystem::path& start = {},
                const PairEncoding& encoding = token_pairs());

/// The same for pairs in memory; writes no file.
Dataset prepare(std::span<const TextPair> pairs, const DataConfig& config,
                const text::TokenizerConfig& text_config, const std::filesystem::path& start = {},
                const PairEncoding& encoding = token_pairs());

/// Reads the pairs of `entries` into memory, for an existing model and tokenizer. Throws as
/// prepare() does, and if no pair remains.
PairCorpus read_pairs(const DataConfig& config, const std::vector<std::string>& entries,
                      const text::Tokenizer& tokenizer,
                      const PairEncoding& encoding = token_pairs());

/// Reads the texts of a corpus's rows again, in their order, for ROUGE. `entries` are those of the
/// part, or config.train for a validation part that was split off it. Throws std::invalid_argument
/// if the files have changed and contain fewer pairs.
std::vector<TextPair> read_texts(const DataConfig& config, const std::vector<std::string>& entries,
                                 const PairCorpus& corpus);

}  // namespace fastformer::summarization

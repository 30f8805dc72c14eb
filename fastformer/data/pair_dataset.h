#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/data/pair_config.h"
#include "fastformer/data/pair_reader.h"
#include "fastformer/data/pair_set.h"
#include "fastformer/text/tokenizer.h"
#include "fastformer/text/tokenizer_config.h"

namespace fastformer::data {

/// Pairs that were left out of a part.
struct PairCounts {
  std::int64_t empty = 0;      ///< without document or without summary
  std::int64_t too_short = 0;  ///< with fewer tokens than the minimums ask for
};

/// Pairs of document and summary ready for training, and the vocabulary that both sides share.
struct PairDataset {
  std::unique_ptr<text::Tokenizer> tokenizer;
  PairSet train, validation, test;
  PairCounts train_dropped, validation_dropped, test_dropped;

  /// A table for people: pairs of each part, lengths of documents and summaries, how many lost
  /// their tail, and how many pairs were left out.
  std::string summary() const;
};

/// Reads the sources, divides them and turns them into tokens.
///
///   const PairDataset dataset = prepare_pairs(config, text_config, "runs/summaries/cache");
///   std::puts(dataset.summary().c_str());
///
/// The vocabulary is learned from documents and summaries of the training part alone. Pairs with
/// equal documents never cross a split. The result lies in `cache_folder`/<key>, where the key
/// covers both configurations and the names, sizes and times of the source files; a second call
/// opens it without reading them.
///
/// Throws std::invalid_argument with one sentence for whatever a reader refuses and when no
/// training pair is left.
PairDataset prepare_pairs(const PairDataConfig& config, const text::TokenizerConfig& text_config,
                          const std::filesystem::path& cache_folder);

/// The pairs of `entries` for a model that has its tokenizer, written into `folder` and opened.
/// Throws as prepare_pairs() does, and when no pair is left.
PairSet tokenize_for_evaluation(const PairDataConfig& config,
                                const std::vector<std::string>& entries,
                                const text::Tokenizer& tokenizer,
                                const std::filesystem::path& folder);

/// The texts of a set's rows, in their order, read again from its files: what ROUGE compares.
/// `entries` are those of the part, or config.train for a validation part taken from it. Throws
/// std::invalid_argument when the files have changed and hold fewer pairs.
std::vector<TextPair> read_texts(const PairDataConfig& config,
                                 const std::vector<std::string>& entries, const PairSet& set);

}  // namespace fastformer::data

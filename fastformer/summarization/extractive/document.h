#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "fastformer/data/batch.h"
#include "fastformer/summarization/dataset.h"
#include "fastformer/text/document_sentences.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::summarization {

/// A document as an extractive model reads it.
struct SentenceDocument {
  std::vector<text::Sentence> sentences;  ///< of the text; each has at least one token
  std::vector<std::int32_t> ids;          ///< the tokens of all sentences
  std::vector<std::int32_t> lengths;      ///< the number of tokens of each sentence
  bool truncated = false;                 ///< the text has more tokens
};

/// Divides a text into sentences and encodes each, at most `max_tokens` in all (0: no limit).
/// `text` must outlive the result.
SentenceDocument read_document(const text::Tokenizer& tokenizer, std::string_view text,
                               std::int64_t max_tokens);

/// What training knows about a sentence. A row of PairCorpus::target has these four numbers for
/// each sentence of the row's document.
struct SentenceAnnotation {
  std::int32_t tokens = 0;  ///< length of the sentence
  std::int32_t kind = 0;    ///< text::SentenceKind
  std::int32_t oracle = 0;  ///< 1: chosen by metrics::ExtractiveOracle
  std::int32_t gain = 0;    ///< mean of ROUGE-1 F and ROUGE-2 F of the sentence alone, of kMostGain

  static constexpr std::int32_t kMostGain = 10'000;
};

/// How documents and their sentences are prepared for training, see prepare().
const PairEncoding& sentence_pairs();

/// Documents, their sentences, and the targets of training.
struct SentenceBatch {
  data::TokenBatch documents;
  std::vector<std::int64_t> tokens = {0};  ///< [S+1], the tokens of sentence s begin at tokens[s]
  std::vector<std::int64_t> sentences = {0};  ///< [B+1], the sentences of document b begin there
  std::vector<text::SentenceKind> kinds;      ///< [S]
  std::vector<float> oracle, gain;            ///< [S], from 0 to 1; empty in inference

  void add(const SentenceDocument& document);
};

/// The batch of rows of a prepared corpus. Throws std::invalid_argument for annotations that do not
/// fit to their documents.
SentenceBatch gather_sentences(const PairCorpus& corpus, std::span<const std::int64_t> rows);

}  // namespace fastformer::summarization

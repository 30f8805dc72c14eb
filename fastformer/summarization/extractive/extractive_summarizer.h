#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/kernels/options.h"
#include "fastformer/summarization/data_config.h"
#include "fastformer/summarization/extractive/selection_config.h"
#include "fastformer/text/document_sentences.h"

namespace fastformer {

namespace summarization {
struct ExtractiveContent;
}

/// A sentence of a document: the bytes [begin, end) of its text.
struct RankedSentence {
  std::size_t begin = 0, end = 0;
  text::SentenceKind kind = text::SentenceKind::kSentence;
  double score = 0;  ///< from 0 to 1: how much the model expects it to be in a summary
};

/// A summary that consists of sentences of its document.
struct ExtractiveSummary {
  std::string text;                 ///< empty for a document without sentences
  std::vector<std::size_t> chosen;  ///< indices in RankedDocument::sentences, ascending
};

/// A document with a score for each sentence. Summaries of any length follow from the scores,
/// without encoding the document again.
struct RankedDocument {
  std::string text;
  std::vector<RankedSentence> sentences;  ///< in the order of the text
  bool truncated = false;                 ///< the model did not read the end of the document

  std::string_view sentence(std::size_t index) const {
    const auto& one = sentences[index];
    return std::string_view(text).substr(one.begin, one.end - one.begin);
  }

  /// See summarization::select_sentences(). Throws std::invalid_argument for a configuration
  /// without a limit.
  ExtractiveSummary summarize(const summarization::SelectionConfig& selection) const;
};

/// A trained extractive summarizer: it chooses sentences of the document.
///
///   const auto summarizer = fastformer::ExtractiveSummarizer::load("runs/extracts/model");
///   std::cout << summarizer.summarize(document).text << '\n';
///
///   const auto ranked = summarizer.rank(documents);
///   auto selection = summarizer.selection();
///   selection.sentences = 0;
///   selection.words = 50;
///   std::cout << ranked.front().summarize(selection).text << '\n';
///
/// Immutable; safe to share between threads. Throws std::runtime_error if a computation fails.
class ExtractiveSummarizer {
 public:
  /// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
  /// damaged, or of another kind or version.
  static ExtractiveSummarizer load(const std::filesystem::path& directory,
                                   const Options& options = {});
  /// Wraps a model in memory, for example from training.
  explicit ExtractiveSummarizer(summarization::ExtractiveContent content,
                                const Options& options = {});
  ExtractiveSummarizer(ExtractiveSummarizer&&) noexcept;
  ExtractiveSummarizer& operator=(ExtractiveSummarizer&&) noexcept;
  ~ExtractiveSummarizer();

  /// The selection of the recipe, tuned in training.
  const summarization::SelectionConfig& selection() const;
  /// The most tokens of a document that are read; 0: all.
  std::int64_t token_limit() const;
  /// How the training files were read.
  const summarization::DataConfig& data_config() const;

  /// The scores of the sentences of each document, in their order. Options::max_batch_tokens bounds
  /// the memory that short documents take together; a longer one is a batch of its own.
  std::vector<RankedDocument> rank(std::span<const std::string> documents) const;
  /// Summarizes one document with the recipe's selection.
  ExtractiveSummary summarize(std::string_view document) const;

  const summarization::ExtractiveContent& content() const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace fastformer

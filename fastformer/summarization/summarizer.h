#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/kernels/options.h"
#include "fastformer/summarization/abstractive/search_config.h"
#include "fastformer/summarization/data_config.h"

namespace fastformer {

namespace summarization {
struct SummarizerContent;
}

/// A token of a summary, and the positions of the document that the model attended to for it.
struct WrittenToken {
  struct Source {
    std::string token;
    std::int64_t position;  ///< in the document, from 0
    double weight;          ///< the weights of all positions sum to 1
  };
  std::string token;
  /// Probability of copying instead of generating; empty for a model that cannot copy.
  std::optional<double> copied;
  std::vector<Source> sources;  ///< largest weight first
};

/// A summary of one document.
struct Summary {
  std::string text;  ///< empty for a document without tokens
  double log_probability = 0;
  bool empty_document = false;
  bool truncated = false;            ///< the document has more tokens than the model reads
  std::int64_t document_tokens = 0;  ///< those read; with SummarizeOptions::count_tokens all
  std::vector<WrittenToken> tokens;  ///< only with SummarizeOptions::explain
};

struct SummarizeOptions {
  summarization::SearchConfig search;
  bool explain = false;  ///< whether to fill Summary::tokens
  /// Whether to fill Summary::document_tokens, for which all of a truncated document is read.
  bool count_tokens = false;
  /// Number of the first document among all documents to summarize; random draws of sampling depend
  /// on it.
  std::int64_t first_document = 0;
  /// Receives the text of a summary in pieces while it is generated. Only for a single document,
  /// and not with search.method = beam, whose summary is known only at the end.
  std::function<void(std::string_view piece)> stream = {};
};

/// A trained summarizer.
///
///   const auto summarizer = fastformer::Summarizer::load("runs/cnn_dailymail/model");
///   std::cout << summarizer.summarize(document).text << '\n';
///
/// Immutable; safe to share between threads. Throws std::runtime_error if a computation fails.
class Summarizer {
 public:
  /// Throws std::invalid_argument with one sentence for a directory that is missing, incomplete,
  /// damaged, or of another kind or version.
  static Summarizer load(const std::filesystem::path& directory, const Options& options = {});
  /// Wraps a model in memory, for example from training.
  explicit Summarizer(summarization::SummarizerContent content, const Options& options = {});
  Summarizer(Summarizer&&) noexcept;
  Summarizer& operator=(Summarizer&&) noexcept;
  ~Summarizer();

  /// The search settings of the recipe, for use in SummarizeOptions.
  const summarization::SearchConfig& search() const;
  /// The most tokens of a document that are read; 0: all.
  std::int64_t token_limit() const;
  /// How the training files were read.
  const summarization::DataConfig& data_config() const;

  /// Summarizes one document with the recipe's search settings.
  Summary summarize(std::string_view document) const;
  /// One summary per document, in their order. Options::max_batch_tokens bounds the memory. Throws
  /// std::invalid_argument if options.stream is set with a beam search or for several documents.
  std::vector<Summary> summarize(std::span<const std::string> documents,
                                 const SummarizeOptions& options) const;

  const summarization::SummarizerContent& content() const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace fastformer

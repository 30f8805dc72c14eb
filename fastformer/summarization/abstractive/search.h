#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "fastformer/summarization/abstractive/search_config.h"

namespace fastformer::summarization {

/// The interface of a model for a search: sequences that grow by one token per step. At the start
/// there is one empty sequence per document.
class SequenceModel {
 public:
  virtual ~SequenceModel() = default;

  virtual std::int64_t documents() const = 0;
  /// Appends a token to each of the H sequences and returns the log-probabilities [H, V] of the
  /// next tokens, float or double. The first token of each sequence is the begin token.
  virtual at::Tensor step(std::span<const std::int32_t> tokens) = 0;
  /// Sequence i becomes a copy of the former `parents[i]`; documents stay in their order.
  virtual void select(std::span<const std::int64_t> parents) = 0;
};

/// Tokens with a special role in a search.
struct SearchTokens {
  std::int32_t begin = 0, end = 0;   ///< of a text
  std::vector<std::int32_t> banned;  ///< must not be chosen
  std::vector<bool> continues = {};  ///< by id, whether a token continues a word; empty: none does
  /// Words, each as its tokens, that may complete an n-gram which the text has already.
  std::vector<std::vector<std::int32_t>> repeatable = {};
};

/// A text that a search has found.
struct WrittenText {
  std::vector<std::int32_t> tokens;  ///< without begin and end tokens
  double log_probability = 0;        ///< of these tokens, and of the end token if the text has one
  double score = 0;                  ///< for comparison with other texts of the same document
  bool ended = false;                ///< whether the end token ended it, not the length limit
};

/// Called with each token of a text as soon as it is chosen, except the end token.
using TokenSink = std::function<void(std::int64_t document, std::int32_t token)>;

/// Decides which tokens may follow a text: no banned token, no end token before `min_tokens`, and
/// no token that would repeat an n-gram of `blocked_ngram` words (Paulus et al., arXiv 1705.04304,
/// section 2.5), or of as many tokens within one word. The n-grams include the begin token, a word
/// of its own. If a word of several tokens would repeat an n-gram, its last token is refused; so is
/// that token where a longer word would begin with the same tokens.
class TokenRules {
 public:
  /// Throws std::invalid_argument if `config` is invalid.
  TokenRules(const SearchConfig& config, SearchTokens tokens);

  /// `texts` [H], each with its begin token. Sets forbidden tokens in log_p [H, V] to -infinity.
  void apply(std::span<const std::vector<std::int32_t>* const> texts,
             const at::Tensor& log_p) const;

 private:
  std::vector<std::int32_t> refused(const std::vector<std::int32_t>& text) const;
  bool begins_word(std::int32_t token) const;
  void refuse_repetitions(std::span<const std::int32_t> text, std::span<const std::size_t> words,
                          std::vector<std::int32_t>& refused) const;

  SearchConfig config_;
  SearchTokens tokens_;
};

}  // namespace fastformer::summarization

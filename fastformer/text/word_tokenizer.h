#pragma once

#include <functional>
#include <string_view>

#include "fastformer/text/normalizer.h"
#include "fastformer/text/tokenizer.h"
#include "fastformer/text/vocabulary.h"

namespace fastformer::text {

/// Calls `visit` with each word and each punctuation mark of normalised text, in order, until it
/// returns false. The cuts follow the Penn Treebank (and NLTK's word_tokenize):
///   "They don't pay $3.5m."  ->  They | do | n't | pay | $ | 3.5m | .
/// contractions are split, numbers, dots inside abbreviations and hyphenated words are kept, runs
/// of dots and dashes are one token. Time is linear in the text.
///
/// Punctuation of every script is a token of its own, and so is an emoji with all its parts. Runs
/// of Chinese, Japanese, Thai, Khmer, Lao and Burmese are cut by ICU's dictionaries. ZWNJ and ZWJ
/// stay inside a word.
///
/// Cut otherwise than NLTK does, on purpose: quotation marks stay as they are instead of becoming
/// `` and ''; marks such as / = + ~ and runs of stars part words (a | / | b); a dot behind a word
/// is a token even after "Mr", because no sentences are found first, while an abbreviation with
/// dots inside keeps its last one; "cannot" and "gonna" stay whole.
void visit_words(std::string_view text, const std::function<bool(std::string_view)>& visit);

/// Words and punctuation with a vocabulary learned from the training text.
class WordTokenizer final : public Tokenizer {
 public:
  WordTokenizer(const TokenizerConfig& config, Vocabulary vocabulary);
  static std::unique_ptr<Tokenizer> train(const TokenizerConfig& config, const TextSource& texts);

  /// The same with the vocabulary of `directory` before the words that the texts add to it.
  static std::unique_ptr<Tokenizer> extend(const TokenizerConfig& config,
                                           const std::filesystem::path& directory,
                                           const TextSource& texts);

  void encode(std::string_view text, std::vector<std::int32_t>& ids,
              std::size_t limit) const override;
  std::vector<std::string> tokens(std::string_view text, std::size_t limit) const override;
  std::int64_t vocabulary_size() const override { return vocabulary_.size(); }
  std::string token(std::int32_t id) const override { return vocabulary_.token(id); }
  std::int32_t pad_id() const override { return vocabulary_.pad_id(); }
  std::int32_t unknown_id() const override { return vocabulary_.unknown_id(); }
  void save(const std::filesystem::path& directory) const override;

 private:
  TokenizerConfig config_;
  Normalizer normalizer_;
  Vocabulary vocabulary_;
};

}  // namespace fastformer::text

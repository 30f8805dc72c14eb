#pragma once

#include <functional>
#include <string_view>

#include "fastformer/text/normalizer.h"
#include "fastformer/text/tokenizer.h"
#include "fastformer/text/vocabulary.h"

namespace fastformer::text {

/// Calls `visit` with each word and each punctuation mark of normalized text, in order, until
/// `visit` returns false. Follows the rules of the Penn Treebank (and NLTK's word_tokenize):
///   "They don't pay $3.5m."  ->  They | do | n't | pay | $ | 3.5m | .
/// Contractions are split. Numbers, abbreviations with dots and hyphenated words are kept whole. A
/// run of dots or dashes is one token. The time is linear in the length.
///
/// Each punctuation mark of any script is a token, and so is an emoji with all its parts. Runs of
/// Chinese, Japanese, Thai, Khmer, Lao and Burmese are divided by ICU's dictionaries. ZWNJ and ZWJ
/// stay inside a word.
///
/// Intended differences from NLTK: quotation marks stay as they are instead of becoming `` and '';
/// marks such as / = + ~ and runs of stars separate words (a | / | b); a dot after a word is a
/// token even after "Mr", because sentences are not detected first, but an abbreviation with inner
/// dots keeps its last dot; "cannot" and "gonna" stay whole.
void visit_words(std::string_view text, const std::function<bool(std::string_view)>& visit);

/// Words and punctuation marks, with a vocabulary learned from the training texts.
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

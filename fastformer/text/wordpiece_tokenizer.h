#pragma once

#include <string_view>

#include "fastformer/text/normalizer.h"
#include "fastformer/text/tokenizer.h"
#include "fastformer/text/vocabulary.h"

namespace fastformer::text {

/// BERT's tokens: words and single punctuation marks, each divided greedily into the longest pieces
/// in a given vocab.txt, with "##" before a piece that continues a word (Wu et al., arXiv
/// 1609.08144). A word that cannot be divided, or of more than 100 characters, is [UNK]. `config`
/// decides about case and accents; invisible characters are always removed.
///
/// With normalization = "none" and lowercase = strip_accents, the ids equal those of Hugging Face's
/// tokenizers package, with two exceptions: it keeps accents newer than Unicode 8, and it treats
/// "[SEP]" and similar words in a text as special tokens, which are plain text here.
///
/// With special_tokens, each text gets [CLS] and [SEP], which count towards the limit, so that a
/// truncated text also ends in [SEP]. Throws std::invalid_argument if the vocabulary lacks them.
class WordPieceTokenizer final : public Tokenizer {
 public:
  WordPieceTokenizer(const TokenizerConfig& config, Vocabulary vocabulary);
  /// Reads `config.model_file`; `texts` is not used.
  static std::unique_ptr<Tokenizer> train(const TokenizerConfig& config, const TextSource& texts);

  void encode(std::string_view text, std::vector<std::int32_t>& ids,
              std::size_t limit) const override;
  std::vector<std::string> tokens(std::string_view text, std::size_t limit) const override;
  /// Joins the pieces of a word.
  std::string decode(std::span<const std::int32_t> ids) const override;
  std::int64_t vocabulary_size() const override { return vocabulary_.size(); }
  std::string token(std::int32_t id) const override { return vocabulary_.token(id); }
  bool continues_word(std::int32_t id) const override { return token(id).starts_with("##"); }
  std::int32_t pad_id() const override { return vocabulary_.pad_id(); }
  std::int32_t unknown_id() const override { return vocabulary_.unknown_id(); }
  void save(const std::filesystem::path& directory) const override;

 private:
  bool framed() const { return config_.special_tokens; }
  std::int32_t special_id(std::string_view token) const;
  void visit_tokens(std::string_view text, std::size_t limit,
                    const std::function<void(std::string_view, std::int32_t)>& visit) const;
  void visit_pieces(std::string_view text,
                    const std::function<bool(std::string_view, std::int32_t)>& visit) const;

  TokenizerConfig config_;
  Normalizer normalizer_;
  Vocabulary vocabulary_;
  std::int32_t class_id_ = 0, separator_id_ = 0;  // only with special_tokens
};

}  // namespace fastformer::text

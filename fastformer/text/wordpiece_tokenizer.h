#pragma once

#include <string_view>

#include "fastformer/text/normalizer.h"
#include "fastformer/text/tokenizer.h"
#include "fastformer/text/vocabulary.h"

namespace fastformer::text {

/// BERT's tokens: words and single punctuation marks, each cut greedily into the longest pieces of
/// a given vocab.txt, with "##" before a piece that continues a word (Wu et al., arXiv 1609.08144).
/// A word without such a cut, or longer than 100 characters, is [UNK]. Case and accents go as
/// `config` says, characters without a shape always.
///
/// With normalization = "none" and lowercase = strip_accents, the ids are those of the package
/// tokenizers, but for the accents that came into Unicode after version 8, which it keeps, and for
/// "[SEP]" and the like in a text: here they are text.
///
/// With special_tokens, [CLS] and [SEP] stand around each text and count for the limit, so that a
/// text that is cut ends in [SEP] as well; a vocabulary without them throws std::invalid_argument.
class WordPieceTokenizer final : public Tokenizer {
 public:
  WordPieceTokenizer(const TokenizerConfig& config, Vocabulary vocabulary);
  /// Reads `config.model_file`; the texts are not looked at.
  static std::unique_ptr<Tokenizer> train(const TokenizerConfig& config, const TextSource& texts);

  void encode(std::string_view text, std::vector<std::int32_t>& ids,
              std::size_t limit) const override;
  std::vector<std::string> tokens(std::string_view text, std::size_t limit) const override;
  /// Pieces of one word come together again.
  std::string decode(std::span<const std::int32_t> ids) const override;
  std::int64_t vocabulary_size() const override { return vocabulary_.size(); }
  std::string token(std::int32_t id) const override { return vocabulary_.token(id); }
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
  std::int32_t class_id_ = 0, separator_id_ = 0;  // with special_tokens
};

}  // namespace fastformer::text

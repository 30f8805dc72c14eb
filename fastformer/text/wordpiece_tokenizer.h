#pragma once

#include <string_view>

#include "fastformer/text/normalizer.h"
#include "fastformer/text/tokenizer.h"
#include "fastformer/text/tokenizer_config.h"
#include "fastformer/text/vocabulary.h"

namespace fastformer::text {

/// BERT's tokens: words and single punctuation marks, each cut greedily into the longest pieces of
/// a given vocab.txt, with "##" before a piece that continues a word (Wu et al., arXiv 1609.08144).
/// A word without such a cut, or longer than 100 characters, is [UNK].
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
  void visit_pieces(std::string_view text,
                    const std::function<bool(std::string_view, std::int32_t)>& visit) const;

  TokenizerConfig config_;
  Normalizer normalizer_;
  Vocabulary vocabulary_;
};

}  // namespace fastformer::text

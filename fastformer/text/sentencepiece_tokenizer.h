#pragma once

#include <memory>
#include <string>

#include "fastformer/text/normalizer.h"
#include "fastformer/text/tokenizer.h"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace fastformer::text {

/// Subword units of the unigram language model (Kudo, arXiv 1804.10959), by the SentencePiece
/// library. The model is read from `model_file` or learned from the first 64 MiB of the texts.
class SentencePieceTokenizer final : public Tokenizer {
 public:
  /// `model` is the content of a .model file. Throws std::invalid_argument if it is not valid.
  SentencePieceTokenizer(const TokenizerConfig& config, std::string model,
                         const std::string& where);
  ~SentencePieceTokenizer() override;
  static std::unique_ptr<Tokenizer> train(const TokenizerConfig& config, const TextSource& texts);
  static std::unique_ptr<Tokenizer> load(const TokenizerConfig& config,
                                         const std::filesystem::path& directory);

  void encode(std::string_view text, std::vector<std::int32_t>& ids,
              std::size_t limit) const override;
  std::vector<std::string> tokens(std::string_view text, std::size_t limit) const override;
  std::int64_t vocabulary_size() const override;
  std::string token(std::int32_t id) const override;
  bool continues_word(std::int32_t id) const override;
  std::int32_t pad_id() const override;
  std::int32_t unknown_id() const override;
  std::int32_t begin_id() const override;
  std::int32_t end_id() const override;
  std::string decode(std::span<const std::int32_t> ids) const override;
  void save(const std::filesystem::path& directory) const override;

 private:
  TokenizerConfig config_;
  Normalizer normalizer_;
  std::string model_;
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
  std::string blanks_;  ///< white space that ends a run of unknown characters
};

}  // namespace fastformer::text

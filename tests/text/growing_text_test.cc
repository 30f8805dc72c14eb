#include "fastformer/text/growing_text.h"

#include <gtest/gtest.h>
#include <sentencepiece_trainer.h>

#include "fastformer/text/sentencepiece_tokenizer.h"
#include "support/temporary_folder.h"

namespace fastformer::text {
namespace {

using Pieces = std::vector<std::string>;

std::string joined(const Pieces& pieces) {
  std::string text;
  for (const auto& piece : pieces) text += piece;
  return text;
}

Pieces pieces_of(const Tokenizer& tokenizer, const std::vector<std::int32_t>& tokens) {
  GrowingText text(tokenizer);
  Pieces pieces;
  for (const auto token : tokens) pieces.push_back(text.add(token));
  pieces.push_back(text.finish());
  EXPECT_EQ(joined(pieces), tokenizer.decode(tokens));
  return pieces;
}

/// Tokens are bytes.
class ByteTokenizer final : public Tokenizer {
 public:
  void encode(std::string_view text, std::vector<std::int32_t>& ids, std::size_t) const override {
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
  }
  std::vector<std::string> tokens(std::string_view, std::size_t) const override { return {}; }
  std::int64_t vocabulary_size() const override { return 256; }
  std::string token(std::int32_t id) const override { return {static_cast<char>(id)}; }
  std::int32_t pad_id() const override { return 0; }
  std::int32_t unknown_id() const override { return 0; }
  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    for (const auto id : ids) text += token(id);
    return text;
  }
  void save(const std::filesystem::path&) const override {}
};

Pieces pieces_of_bytes(const std::string& text) {
  const ByteTokenizer tokenizer;
  std::vector<std::int32_t> tokens;
  tokenizer.encode(text, tokens, Tokenizer::kNoLimit);
  return pieces_of(tokenizer, tokens);
}

TEST(GrowingText, ACharacterComesWithItsLastByte) {
  EXPECT_EQ(pieces_of_bytes("aé中b"), (Pieces{"a", "", "é", "", "", "中", "b", ""}));
  EXPECT_EQ(pieces_of_bytes("😀"), (Pieces{"", "", "", "😀", ""}));
  EXPECT_EQ(pieces_of_bytes(""), (Pieces{""}));
}

TEST(GrowingText, WhatStaysIncompleteComesAtTheEnd) {
  EXPECT_EQ(pieces_of_bytes("a\xE4\xB8"), (Pieces{"a", "", "", "\xE4\xB8"}));
  EXPECT_EQ(pieces_of_bytes("a\uFFFD"), (Pieces{"a", "", "", "", "\uFFFD"}));
  EXPECT_EQ(pieces_of_bytes("\xE4"
                            "a"),
            (Pieces{"",
                    "\xE4"
                    "a",
                    ""}));
}

TEST(GrowingText, WordsComeAtOnceWithTheSpaceBeforeThem) {
  const testing::TemporaryFolder folder;
  TokenizerConfig config;
  config.tokenizer = "wordpiece";
  config.model_file = folder.write("vocab.txt", "[PAD]\n[UNK]\nthe\ncat\n##s\nsat\n");
  const auto tokenizer = make_tokenizer(config, [](const auto&) {});
  EXPECT_EQ(pieces_of(*tokenizer, {2, 3, 4, 5}), (Pieces{"the", " cat", "s", " sat", ""}));
}

// The library gives each byte of an incomplete character as U+FFFD.
TEST(GrowingText, SubwordsOfBytesComeAsCharacters) {
  const testing::TemporaryFolder folder;
  const auto sentences =
      folder.write("sentences.txt", "the cat sat on the mat\nthe dog sat\na cat and a dog\n");
  std::string model;
  ASSERT_TRUE(sentencepiece::SentencePieceTrainer::Train({{"input", sentences.string()},
                                                          {"vocab_size", "290"},
                                                          {"hard_vocab_limit", "false"},
                                                          {"byte_fallback", "true"},
                                                          {"num_threads", "1"},
                                                          {"minloglevel", "2"}},
                                                         nullptr, &model)
                  .ok());
  const SentencePieceTokenizer tokenizer({}, model, "the trained model");
  std::vector<std::int32_t> tokens;
  tokenizer.encode("the 中文 cat é sat", tokens, Tokenizer::kNoLimit);
  const auto pieces = pieces_of(tokenizer, tokens);
  EXPECT_EQ(joined(pieces), "the 中文 cat é sat");
  for (const auto& piece : pieces) EXPECT_EQ(piece.find("\uFFFD"), std::string::npos) << piece;
  EXPECT_EQ(pieces.back(), "");
}

}  // namespace
}  // namespace fastformer::text

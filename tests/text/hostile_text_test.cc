// Texts and vocabularies that would cost much more than their size, or crash a library.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "fastformer/text/bert_tokenizer.h"
#include "fastformer/text/normalizer.h"
#include "fastformer/text/sentencepiece_model.h"
#include "fastformer/text/tokenizer.h"
#include "fastformer/text/vocabulary.h"
#include "support/temporary_folder.h"

namespace fastformer::text {
namespace {

std::string repeated(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

TEST(HostileText, LongRunsOfCombiningMarksAreCut) {
  const Normalizer normalizer({.normalization = UnicodeForm::kNfc, .lowercase = false});
  const auto marked = [](int pairs) { return "a" + repeated("\u0301\u0323", pairs) + "b"; };
  EXPECT_EQ(normalizer.normalize(marked(15)).size(), marked(15).size());
  EXPECT_EQ(normalizer.normalize(marked(16)), normalizer.normalize(marked(15)));
  EXPECT_EQ(normalizer.normalize(marked(100'000)), normalizer.normalize(marked(15)));
  const auto words = repeated("e\u0301 ", 1000);
  EXPECT_EQ(normalizer.normalize(words), repeated("\u00e9 ", 1000));
}

class SentencePieceModels : public ::testing::Test {
 protected:
  SentencePieceModels() {
    TokenizerConfig config;
    config.tokenizer = "sentencepiece";
    config.vocabulary_size = 60;
    make_tokenizer(config, [](const auto& use) {
      for (int i = 0; i < 50; ++i) use("the cats sat on the mats number " + std::to_string(i));
    })->save(folder_.path());
    std::ifstream in(folder_ / "tokenizer.model", std::ios::binary);
    model_.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::string error_with(const std::string& model) {
    folder_.write("tokenizer.model", model);
    return testing::error_of([&] { load_tokenizer(folder_.path()); });
  }
  testing::TemporaryFolder folder_;
  std::string model_;
};

TEST_F(SentencePieceModels, DamagedMapsOfCharactersAreRefused) {
  ASSERT_TRUE(has_sound_charsmaps(model_));
  EXPECT_EQ(error_with(model_), "");
  // The map is by far the largest part of so small a model: bytes of its trie become others.
  const auto middle = model_.size() / 3;
  int refused = 0;
  for (int i = 0; i < 40; ++i) {
    auto damaged = model_;
    for (std::size_t k = 0; k < 64; ++k) damaged[middle + 211 * i + k] = static_cast<char>(0x7B);
    const auto error = error_with(damaged);
    if (error.empty()) {
      std::vector<std::int32_t> ids;
      load_tokenizer(folder_.path())->encode("The cats ﬁ ２ Å sat \xe1\xbe\x80", ids);
    } else {
      EXPECT_MENTIONS(error, "tokenizer.model", "damaged");
      ++refused;
    }
  }
  EXPECT_GT(refused, 20);
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, middle}) {
    EXPECT_NE(error_with(model_.substr(0, size)), "") << size;
  }
}

TEST_F(SentencePieceModels, AnErrorOfALibraryBecomesASentence) {
  // ModelProto.pieces = {piece: "", score: 0, type: NORMAL} makes a trie with an empty key.
  const std::string empty_piece("\x0a\x09\x0a\x00\x15\x00\x00\x00\x00\x18\x01", 11);
  EXPECT_MENTIONS(error_with(empty_piece + model_), "tokenizer.model", "SentencePiece");
}

TEST_F(SentencePieceModels, LongRunsWithoutSpacesTakeLinearTime) {
  folder_.write("tokenizer.model", model_);
  const auto tokenizer = load_tokenizer(folder_.path());
  const auto text = "the " + repeated("\u4e00", 60'000) + " cats";
  std::vector<std::int32_t> ids, again;
  tokenizer->encode(text, ids);
  EXPECT_EQ(tokenizer->tokens(text, Tokenizer::kNoLimit).size(), ids.size());
  EXPECT_LT(ids.size(), 100u);  // unknown characters in a row are one token
  tokenizer->encode(text, again, 3);
  ids.resize(3);
  EXPECT_EQ(again, ids);
  // Text with spaces is not cut, whatever its length.
  ids.clear();
  tokenizer->encode(repeated("the cats sat ", 5000), ids);
  std::vector<std::int32_t> one;
  tokenizer->encode("the cats sat ", one);
  EXPECT_EQ(ids.size(), 5000 * one.size());
}

TEST(HostileVocabulary, TokensWithControlCharactersAreRefused) {
  const testing::TemporaryFolder folder;
  const auto error = [&](const std::string& content) {
    return testing::error_of([&] { Vocabulary::load(folder.write("vocab.txt", content)); });
  };
  EXPECT_EQ(error("[UNK]\r\ns\r\n"), "");
  EXPECT_MENTIONS(error("[UNK]\ns\r\r\n"), "vocab.txt:2", "'s\\x0d'", "control character");
  EXPECT_MENTIONS(error("[UNK]\n\x1b]0;x\a\n"), "vocab.txt:2");
  EXPECT_LT(error("[UNK]\n" + repeated("x", 1 << 20) + "\n" + repeated("x", 1 << 20)).size(), 400u);
  // None is learned that could not be read again.
  const auto learned = Vocabulary::from_counts({{"a", 3}, {"\x1b", 5}, {"\u0085", 4}}, 1, 100);
  EXPECT_EQ(learned.size(), 3);
  learned.save(folder / "vocab.txt");
  EXPECT_EQ(Vocabulary::load(folder / "vocab.txt").size(), 3);
}

TEST(HostileBertSettings, ANestedValueIsNotPrinted) {
  const testing::TemporaryFolder folder;
  folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n");
  const auto error = [&](const std::string& value) {
    folder.write("tokenizer_config.json", "{\"do_lower_case\":" + value + "}");
    return testing::error_of([&] { load_bert_tokenizer(folder.path()); });
  };
  EXPECT_MENTIONS(error(repeated("[", 100'000) + repeated("]", 100'000)), "levels deep");
  EXPECT_LT(error("\"" + repeated("x", 100'000) + "\"").size(), 400u);
}

}  // namespace
}  // namespace fastformer::text

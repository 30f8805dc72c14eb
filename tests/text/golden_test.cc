// What NLTK and the tokenizers package made of the sentences in make_goldens.py.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "fastformer/text/tokenizer.h"
#include "fastformer/text/word_tokenizer.h"
#include "support/temporary_folder.h"

namespace fastformer::text {
namespace {

nlohmann::json goldens(const std::string& name) {
  std::ifstream file(std::string(FASTFORMER_SOURCE_DIR) + "/tests/text/goldens/" + name);
  return nlohmann::json::parse(file);
}

std::vector<std::string> words_of(const std::string& sentence) {
  std::vector<std::string> words;
  visit_words(sentence, [&](std::string_view word) {
    words.emplace_back(word);
    return true;
  });
  return words;
}

// Where we cut otherwise on purpose (see word_tokenizer.h) is written down, sentence by sentence.
TEST(Goldens, WordsAreThoseOfNltkButForListedDifferences) {
  const auto all = goldens("word_tokenize.json"), differences = goldens("word_differences.json");
  ASSERT_FALSE(all.at("cases").empty());
  std::size_t differing = 0;
  for (const auto& golden : all.at("cases")) {
    const auto sentence = golden.at("text").get<std::string>();
    const auto words = words_of(sentence);
    const auto expected = golden.at("tokens").get<std::vector<std::string>>();
    if (words == expected) continue;
    ++differing;
    ASSERT_TRUE(differences.contains(sentence)) << sentence;
    EXPECT_EQ(words, differences.at(sentence).get<std::vector<std::string>>()) << sentence;
  }
  EXPECT_EQ(differing, differences.size());
}

TEST(Goldens, PiecesAreThoseOfTheTokenizersPackage) {
  const auto all = goldens("wordpiece.json");
  const testing::TemporaryFolder folder;
  std::string vocabulary;
  for (const auto& token : all.at("vocabulary")) vocabulary += token.get<std::string>() + "\n";
  for (const bool lowercase : {true, false}) {
    TokenizerConfig config;
    config.tokenizer = "wordpiece";
    config.normalization = UnicodeForm::kNone;
    config.lowercase = lowercase;
    config.strip_accents = lowercase;
    config.model_file = folder.write("vocab.txt", vocabulary);
    const auto tokenizer = make_tokenizer(config, [](const auto&) {});
    for (const auto& golden : all.at(lowercase ? "uncased" : "cased")) {
      const auto sentence = golden.at("text").get<std::string>();
      std::vector<std::int32_t> ids;
      tokenizer->encode(sentence, ids);
      EXPECT_EQ(ids, golden.at("ids").get<std::vector<std::int32_t>>()) << sentence;
    }
  }
}

}  // namespace
}  // namespace fastformer::text

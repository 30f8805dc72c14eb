// What NLTK and the tokenizers package made of the sentences in make_goldens.py.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "fastformer/text/tokenizer.h"
#include "fastformer/text/tokenizer_config.h"
#include "fastformer/text/word_tokenizer.h"
#include "support/temporary_folder.h"

namespace fastformer::text {
namespace {

nlohmann::json goldens(const std::string& name) {
  std::ifstream file(std::string(FASTFORMER_SOURCE_DIR) + "/tests/text/goldens/" + name);
  return nlohmann::json::parse(file);
}

TEST(Goldens, WordsAreThoseOfNltk) {
  for (const auto& golden : goldens("word_tokenize.json").at("cases")) {
    const auto sentence = golden.at("text").get<std::string>();
    std::vector<std::string> words;
    visit_words(sentence, [&](std::string_view word) {
      words.emplace_back(word);
      return true;
    });
    EXPECT_EQ(words, golden.at("tokens").get<std::vector<std::string>>()) << sentence;
  }
}

TEST(Goldens, PiecesAreThoseOfTheTokenizersPackage) {
  const auto all = goldens("wordpiece.json");
  const testing::TemporaryFolder folder;
  std::string vocabulary;
  for (const auto& token : all.at("vocabulary")) vocabulary += token.get<std::string>() + "\n";
  for (const bool lowercase : {true, false}) {
    TokenizerConfig config;
    config.tokenizer = "wordpiece";
    config.normalization = "none";
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

#include "fastformer/data/word_vectors.h"

#include <gtest/gtest.h>

#include <memory>

#include "fastformer/text/tokenizer.h"
#include "support/temporary_folder.h"

namespace fastformer::data {
namespace {

class WordVectorsTest : public ::testing::Test {
 protected:
  WordVectorsTest() {
    text::TokenizerConfig config;
    config.minimum_count = 1;
    // [PAD] [UNK] oil falls price
    tokenizer_ =
        text::make_tokenizer(config, [](const auto& use) { use("oil oil oil price falls falls"); });
  }
  WordVectors read(const std::string& content, std::int64_t width = 2) {
    return read_word_vectors(folder_.write("vectors.txt", content), *tokenizer_, width);
  }
  std::string error(const std::string& content, std::int64_t width = 2) {
    return testing::error_of([&] { read(content, width); });
  }
  testing::TemporaryFolder folder_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
};

TEST_F(WordVectorsTest, GloveGivesTheWordsOfTheVocabulary) {
  const auto vectors = read("price 1 -2.5\nzebra 7 7\n. . . 3 3\noil 1e-1 0 \nprice 9 9\n");
  EXPECT_EQ(vectors.ids, (std::vector<std::int64_t>{4, 2}));
  EXPECT_EQ(vectors.values, (std::vector<float>{1, -2.5F, 0.1F, 0}));
  EXPECT_DOUBLE_EQ(vectors.coverage(tokenizer_->vocabulary_size()), 0.4);
}

TEST_F(WordVectorsTest, TheFirstLineOfWord2vecIsSkipped) {
  EXPECT_EQ(read("2 2\noil 1 2\nfalls 3 4\n").ids, (std::vector<std::int64_t>{2, 3}));
}

TEST_F(WordVectorsTest, AWrongLineIsNamed) {
  EXPECT_MENTIONS(error("oil 1 2\nprice 1\n"), "vectors.txt:2");
  EXPECT_MENTIONS(error("oil 1 2\n", 3), "vectors of 2 numbers", "model.width = 2");
  EXPECT_MENTIONS(error("1 50\noil 1 2\n"), "model.width = 50");
  EXPECT_MENTIONS(error("oil 1 nan\n"), "vectors.txt:1");
  EXPECT_MENTIONS(error("oil 1 x\n"), "vectors.txt:1");
  EXPECT_MENTIONS(error("\n"), "vectors.txt:1");
  EXPECT_MENTIONS(error(""), "empty");
  EXPECT_MENTIONS(error("zebra 1 2\n"), "none of the words");
  EXPECT_MENTIONS(error(std::string("1 2\noil \x00\x00\x80\x3F", 12)), "binary", "gensim");
  // Numbers whose bytes are no control characters.
  EXPECT_MENTIONS(error("1 2\noil \x9A\x99\x99\x3E\x9A\x99\x99\x3E\n"), "word2vec", "gensim");
  EXPECT_MENTIONS(error(std::string("\xBA\x16\x4F\x2F\x0C\0\0\0", 8)), "fastText", "load_model");
  EXPECT_MENTIONS(error("1 2\nd\xE9j\xE0 0.5 0.25\n"), "vectors.txt:2", "UTF-8");
  EXPECT_MENTIONS(testing::error_of([&] { read_word_vectors("gone.txt", *tokenizer_, 2); }),
                  "gone.txt");
}

}  // namespace
}  // namespace fastformer::data

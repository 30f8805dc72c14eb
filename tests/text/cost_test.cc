// The time of everything that reads text grows with its size, whatever it holds.
#include <sentencepiece_trainer.h>

#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fastformer/base/printable.h"
#include "fastformer/text/character_class.h"
#include "fastformer/text/display_width.h"
#include "fastformer/text/document_sentences.h"
#include "fastformer/text/markup.h"
#include "fastformer/text/sentences.h"
#include "fastformer/text/tokenizer.h"
#include "fastformer/text/vocabulary.h"
#include "support/cost_check.h"
#include "support/temporary_folder.h"

namespace fastformer::text {
namespace {

using testing::expect_linear;
using testing::filled;

// What is repeated to make a long text.
const std::vector<std::pair<std::string, std::string>> kParts = {
    {"a long word", "a"},
    {"marks of two classes", "\u0301\u0323"},
    {"bytes that are no UTF-8", "\xff"},
    {"Chinese without blanks", "\u4e2d\u6587\u5206\u8bcd"},
    {"one ideograph", "\u4e00"},
    {"Katakana", "\u30ab\u30bf"},
    {"Thai without blanks", "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22"},
    {"one letter of Thai", "\u0e01"},
    {"Khmer without blanks", "\u1797\u17b6\u179f\u17b6\u1781\u17d2\u1798\u17c2\u179a"},
    {"Burmese without blanks", "\u1019\u103c\u1014\u103a\u1019\u102c"},
    {"Thai with marks", "\u0e01\u0301\u0323"},
    {"Hangul by letters", "\u1100\u1161\u11a8"},
    {"Arabic", "\u0627\u0644"},
    {"emoji with joiners", "\U0001F468\u200D"},
    {"flags", "\U0001F1E9"},
    {"joiners", "\u200D"},
    {"characters without a shape", "\u00ad\u200b"},
    {"line ends", "\n"},
    {"ideographs in lines", "\u4e00\n"},
    {"ideographs and tabs", "\u4e00\t"},
    {"dots", "."},
    {"dots between letters", "a."},
    {"dots between blanks", " . "},
    {"apostrophes", "a'"},
    {"quotes", "\""},
    {"hyphens", "a-"},
    {"digits and commas", "1,"},
    {"less than", "<"},
    {"open tags", "<a "},
    {"open tags with quotes", "<a b=\""},
    {"comments", "<!--"},
    {"declarations", "<!a"},
    {"scripts", "<script>"},
    {"closed scripts", "<script></script"},
    {"ampersands", "&"},
    {"entities", "&amp;"},
    {"numbers of entities", "&#1"},
    {"capital I with dot", "\u0130"},
    {"ligatures that grow", "\ufdfa"},
    {"sentences without end", "and then "},
    {"abbreviations", "Mr. "},
    {"question marks", "?! "},
    {"capital letters and dots", "A. 1 "},
};

template <class Use>
void expect_linear_texts(const std::string& what, const Use& use) {
  for (const auto& [name, part] : kParts) {
    expect_linear(
        what + ", " + name, [&part = part](auto size) { return filled(part, size); }, use);
  }
}

std::unique_ptr<Tokenizer> make(const TokenizerConfig& config) {
  return make_tokenizer(config, [](const auto& use) {
    for (int i = 0; i < 50; ++i) use("the cats sat on the mats number " + std::to_string(i));
  });
}

void expect_linear_tokenizer(const std::string& name, const Tokenizer& tokenizer) {
  expect_linear_texts(name, [&](const std::string& text) {
    std::vector<std::int32_t> ids;
    tokenizer.encode(text, ids);
  });
}

TEST(TextCostSlow, WordTokenizer) { expect_linear_tokenizer("word", *make({.minimum_count = 1})); }

TEST(TextCostSlow, WordTokenizerWithoutNormalization) {
  expect_linear_tokenizer("word, no normalization",
                          *make({.normalization = UnicodeForm::kNone, .minimum_count = 1}));
}

TEST(TextCostSlow, Markup) {
  expect_linear_texts("markup", [](const std::string& text) { strip_markup(text); });
}

TEST(TextCostSlow, WordPieceTokenizer) {
  const testing::TemporaryFolder folder;
  const auto file = folder.write(
      "vocab.txt", "[UNK]\n[CLS]\n[SEP]\na\n##a\n##aa\n.\n'\n\u4e00\n\u0627\n##\u0627\n");
  expect_linear_tokenizer("word pieces", *make({.tokenizer = "wordpiece",
                                                .normalization = UnicodeForm::kNone,
                                                .strip_accents = true,
                                                .model_file = file.string(),
                                                .special_tokens = true}));
}

TEST(TextCostSlow, SentencePieceTokenizer) {
  expect_linear_tokenizer(
      "SentencePiece",
      *make({.tokenizer = "sentencepiece", .strip_accents = true, .vocabulary_size = 60}));
}

// Where a model keeps line ends, they are unknown characters like those around them.
TEST(TextCostSlow, SentencePieceModelThatKeepsLineEnds) {
  std::vector<std::string> sentences(50, "the cats sat on the mats");
  std::string model;
  const std::unordered_map<std::string, std::string> options = {
      {"vocab_size", "30"},
      {"hard_vocab_limit", "false"},
      {"normalization_rule_name", "identity"},
      {"num_threads", "1"},
      {"minloglevel", "2"}};
  struct Iterator final : sentencepiece::SentenceIterator {
    explicit Iterator(const std::vector<std::string>& all) : sentences(all) {}
    bool done() const override { return at == sentences.size(); }
    void Next() override { ++at; }
    const std::string& value() const override { return sentences[at]; }
    sentencepiece::util::Status status() const override { return {}; }
    const std::vector<std::string>& sentences;
    std::size_t at = 0;
  } iterator(sentences);
  ASSERT_TRUE(sentencepiece::SentencePieceTrainer::Train(options, &iterator, &model).ok());
  const testing::TemporaryFolder folder;
  const auto file = folder.write("identity.model", model);
  expect_linear_tokenizer("SentencePiece, identity", *make({.tokenizer = "sentencepiece",
                                                            .normalization = UnicodeForm::kNone,
                                                            .model_file = file.string()}));
}

TEST(TextCostSlow, Sentences) {
  expect_linear_texts("sentences", [](const std::string& text) { split_sentences(text); });
}

TEST(TextCostSlow, DocumentSentences) {
  expect_linear_texts("sentences of documents",
                      [](const std::string& text) { document_sentences(text); });
}

TEST(TextCostSlow, Display) {
  expect_linear_texts("display", [](const std::string& text) {
    base::printable(text);
    display_width(text);
  });
}

TEST(TextCostSlow, Vocabulary) {
  const testing::TemporaryFolder folder;
  expect_linear(
      "tokens of a vocabulary",
      [&](std::size_t size) {
        std::string text = "[UNK]\n";
        for (int i = 0; text.size() < size; ++i) text += std::to_string(i) + "\n";
        return folder.write("vocab.txt", text);
      },
      [](const auto& file) { Vocabulary::load(file); });
}

}  // namespace
}  // namespace fastformer::text

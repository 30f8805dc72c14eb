#include "fastformer/text/tokenizer.h"

#include <gtest/gtest.h>

#include "fastformer/text/bert_tokenizer.h"
#include "fastformer/text/display_width.h"
#include "fastformer/text/markup.h"
#include "fastformer/text/normalizer.h"
#include "fastformer/text/word_tokenizer.h"
#include "support/temporary_folder.h"

namespace fastformer::text {
namespace {

using Words = std::vector<std::string>;

Words words(const std::string& text) {
  Words result;
  visit_words(text, [&](std::string_view word) {
    result.emplace_back(word);
    return true;
  });
  return result;
}

std::vector<std::int32_t> ids(const Tokenizer& tokenizer, const std::string& text,
                              std::size_t limit = Tokenizer::kNoLimit) {
  std::vector<std::int32_t> result;
  tokenizer.encode(text, result, limit);
  return result;
}

const TextSource kTexts = [](const auto& use) {
  use("the cat sat on the mat");
  use("the dog sat");
};

TEST(WordTokenizer, CutsAsThePennTreebank) {
  EXPECT_EQ(words("They don't pay $3.5m."), (Words{"They", "do", "n't", "pay", "$", "3.5m", "."}));
  EXPECT_EQ(words("U.S. state-of-the-art, (yes)!"),
            (Words{"U.S.", "state-of-the-art", ",", "(", "yes", ")", "!"}));
  EXPECT_TRUE(words("").empty());
  EXPECT_TRUE(words(" \t\n").empty());
}

TEST(WordTokenizer, ScriptsWithoutBlanksAreCutByDictionaries) {
  EXPECT_EQ(words("这条毯子非常柔软。iPhone手机"),
            (Words{"这", "条", "毯子", "非常", "柔软", "。", "iPhone", "手机"}));
  EXPECT_EQ(words("東京都に行く、コーヒー"), (Words{"東京", "都", "に", "行く", "、", "コーヒー"}));
  EXPECT_EQ(words("ภาษาไทยง่าย"), (Words{"ภาษา", "ไทย", "ง่าย"}));
  for (const char* text : {"ខ្ញុំស្រឡាញ់ភាសាខ្មែរ", "ພາສາລາວງ່າຍ", "မြန်မာစာကို"}) {
    EXPECT_GT(words(text).size(), 1U) << text;
  }
}

TEST(WordTokenizer, PunctuationOfEveryScriptIsAToken) {
  EXPECT_EQ(words("هل نجح؟ نعم، نجح"), (Words{"هل", "نجح", "؟", "نعم", "،", "نجح"}));
  EXPECT_EQ(words("यह अच्छा है।"), (Words{"यह", "अच्छा", "है", "।"}));
  EXPECT_EQ(words("¿Funciona? ¡Sí! «bien»"),
            (Words{"¿", "Funciona", "?", "¡", "Sí", "!", "«", "bien", "»"}));
  EXPECT_EQ(words("col·lecció צה״ל"), (Words{"col·lecció", "צה״ל"}));
}

TEST(WordTokenizer, JoinersAndEmojiStayWhole) {
  EXPECT_EQ(words("می\u200Cخواهم"), (Words{"می\u200Cخواهم"}));
  EXPECT_EQ(words("می\u200C خواهم"), (Words{"می", "خواهم"}));
  EXPECT_EQ(
      words("great\U0001F44D\U0001F3FD\U0001F468\u200D\U0001F469\u200D\U0001F467!"),
      (Words{"great", "\U0001F44D\U0001F3FD", "\U0001F468\u200D\U0001F469\u200D\U0001F467", "!"}));
  EXPECT_EQ(words("\U0001F1E9\U0001F1EA\u2764\uFE0F 1\uFE0F\u20E3"),
            (Words{"\U0001F1E9\U0001F1EA", "\u2764\uFE0F", "1\uFE0F\u20E3"}));
}

TEST(WordTokenizer, LearnsByCountAndCutsAtTheLimit) {
  TokenizerConfig config;
  config.minimum_count = 2;
  const auto tokenizer = make_tokenizer(config, kTexts);
  EXPECT_EQ(tokenizer->vocabulary_size(), 4);  // [PAD] [UNK] the sat
  EXPECT_EQ(tokenizer->token(2), "the");
  EXPECT_EQ(ids(*tokenizer, "The CAT sat"),
            (std::vector<std::int32_t>{2, tokenizer->unknown_id(), 3}));
  EXPECT_EQ(ids(*tokenizer, "the the the", 2).size(), 2u);
  EXPECT_EQ(tokenizer->tokens("the cat", 9), (Words{"the", "cat"}));
  EXPECT_EQ(tokenizer->decode(std::vector<std::int32_t>{2, 3}), "the sat");
}

TEST(WordTokenizer, IdsAreThoseOfTheTokensAtEveryLimit) {
  TokenizerConfig config;
  config.minimum_count = 1;
  std::string text;
  for (int i = 0; i < 60; ++i) text += "Word" + std::to_string(i % 23) + " don't 天气 , ";
  const auto tokenizer = WordTokenizer::train(config, [&](const auto& use) { use(text); });
  for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{16},
                                  std::size_t{17}, std::size_t{33}, Tokenizer::kNoLimit}) {
    std::vector<std::string> found;
    for (const auto id : ids(*tokenizer, text, limit)) found.push_back(tokenizer->token(id));
    EXPECT_EQ(found, tokenizer->tokens(text, limit)) << limit;
  }
}

TEST(Tokenizers, SavedAndLoadedTheyGiveTheSameIds) {
  const testing::TemporaryFolder folder;
  const auto vocabulary =
      folder.write("vocab.txt", "[PAD]\n[UNK]\nthe\ncat\nsat\nun\n##known\n##s\n.\n");
  for (const std::string kind : {"word", "wordpiece", "sentencepiece"}) {
    TokenizerConfig config;
    config.tokenizer = kind;
    config.minimum_count = 1;
    config.vocabulary_size = 40;
    if (kind == "wordpiece") config.model_file = vocabulary;
    const auto tokenizer = make_tokenizer(config, kTexts);
    const auto saved = folder / kind;
    std::filesystem::create_directories(saved);
    tokenizer->save(saved);
    const auto loaded = load_tokenizer(saved);
    for (const std::string text : {"the cats sat.", "", "\xff\xfe broken", "unknown ÄÖ 日本"}) {
      EXPECT_EQ(ids(*loaded, text), ids(*tokenizer, text)) << kind << " " << text;
      EXPECT_EQ(loaded->tokens(text).size(), ids(*loaded, text).size()) << kind << " " << text;
    }
    EXPECT_EQ(loaded->vocabulary_size(), tokenizer->vocabulary_size());
    EXPECT_FALSE(loaded->token(loaded->unknown_id()).empty());
    EXPECT_GE(loaded->pad_id(), 0);
  }
}

TEST(Tokenizers, ExtendedTheyKeepTheirIds) {
  const testing::TemporaryFolder folder;
  TokenizerConfig config;
  config.minimum_count = 2;
  make_tokenizer(config, kTexts)->save(folder.path());
  EXPECT_EQ(tokenizer_config(folder.path()).minimum_count, 2);
  const TextSource more = [](const auto& use) { use("a fox and a fox saw the sun"); };
  const auto extended = extend_tokenizer(folder.path(), config, more);
  EXPECT_EQ(extended->vocabulary_size(), 6);
  EXPECT_EQ(ids(*extended, "the sat fox a sun"),
            (std::vector<std::int32_t>{2, 3, 5, 4, extended->unknown_id()}));
  config.vocabulary_size = 8;
  config.minimum_count = 1;
  EXPECT_EQ(extend_tokenizer(folder.path(), config, more)->vocabulary_size(), 8);
  EXPECT_NE(testing::error_of([&] { extend_tokenizer(folder.path(), config, [](const auto&) {}); }),
            "");
}

TEST(Tokenizers, SubwordsStayAsTheyAre) {
  const testing::TemporaryFolder folder;
  TokenizerConfig config;
  config.tokenizer = "wordpiece";
  config.model_file = folder.write("vocab.txt", "[PAD]\n[UNK]\nthe\n##s\n");
  make_tokenizer(config, kTexts)->save(folder.path());
  EXPECT_EQ(extend_tokenizer(folder.path(), config, kTexts)->vocabulary_size(), 4);
  const auto saved = folder / "model";
  std::filesystem::create_directories(saved);
  load_tokenizer(folder.path())->save(saved);
  config.model_file.clear();
  EXPECT_EQ(extend_tokenizer(saved, config, kTexts)->vocabulary_size(), 4);
  config.model_file = folder.write("other.txt", "[PAD]\n[UNK]\nthe\n##x\n");
  EXPECT_MENTIONS(testing::error_of([&] { extend_tokenizer(saved, config, kTexts); }),
                  "text.model_file", "other.txt", "other tokens");
}

TEST(WordPiece, TakesTheLongestPieces) {
  const testing::TemporaryFolder folder;
  TokenizerConfig config;
  config.tokenizer = "wordpiece";
  config.model_file = folder.write("vocab.txt", "[PAD]\n[UNK]\nthe\nun\n##known\n##s\n");
  const auto tokenizer = make_tokenizer(config, kTexts);
  EXPECT_EQ(ids(*tokenizer, "unknowns the zebra"), (std::vector<std::int32_t>{3, 4, 5, 2, 1}));
  EXPECT_EQ(tokenizer->decode(ids(*tokenizer, "the unknowns")), "the unknowns");
  EXPECT_EQ(tokenizer->begin_id(), -1);
}

TEST(SentencePiece, PutsItsPiecesTogether) {
  TokenizerConfig config;
  config.tokenizer = "sentencepiece";
  config.vocabulary_size = 40;
  const auto tokenizer = make_tokenizer(config, kTexts);
  EXPECT_EQ(tokenizer->decode(ids(*tokenizer, "the cat sat")), "the cat sat");
  EXPECT_EQ(tokenizer->decode({}), "");
  EXPECT_EQ(tokenizer->end_id(), -1);  // what is learned here is for reading texts
}

TEST(Tokenizers, KnowWhichTokensContinueAWord) {
  const auto continued = [](const Tokenizer& tokenizer, const std::string& text) {
    Words result;
    for (const auto id : ids(tokenizer, text)) {
      if (tokenizer.continues_word(id)) result.push_back(tokenizer.token(id));
    }
    return result;
  };
  const testing::TemporaryFolder folder;
  TokenizerConfig config;
  EXPECT_TRUE(continued(*make_tokenizer(config, kTexts), "the cat sat").empty());
  config.tokenizer = "wordpiece";
  config.model_file = folder.write("vocab.txt", "[PAD]\n[UNK]\nthe\nun\n##known\n##s\n,\n");
  EXPECT_EQ(continued(*make_tokenizer(config, kTexts), "unknowns, the"), (Words{"##known", "##s"}));
  config.model_file.clear();
  config.tokenizer = "sentencepiece";
  config.vocabulary_size = 30;
  const auto pieces = make_tokenizer(config, [](const auto& use) {
    for (int i = 0; i < 50; ++i) use("abcde fg, hijkl 今天天气 mnop, qr");
  });
  // Neither a blank nor punctuation nor a character of a script without blanks.
  for (const auto& piece : continued(*pieces, "qponm, lkjih 天今")) {
    EXPECT_TRUE(piece.front() >= 'a' && piece.front() <= 'z') << piece;
  }
  EXPECT_FALSE(continued(*pieces, "qponm").empty());
}

const char* const kBertVocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\ncafe\nσασ\n[\nsep\n]\ni\n";

TEST(WordPiece, PutsSpecialTokensAroundEachTextAndItsHead) {
  const testing::TemporaryFolder folder;
  folder.write("vocab.txt", kBertVocabulary);
  const auto tokenizer = load_bert_tokenizer(folder.path());
  using Ids = std::vector<std::int32_t>;
  EXPECT_EQ(ids(*tokenizer, "the Café"), (Ids{2, 4, 5, 3}));
  EXPECT_EQ(tokenizer->tokens("the Café"), (Words{"[CLS]", "the", "cafe", "[SEP]"}));
  EXPECT_EQ(ids(*tokenizer, ""), (Ids{2, 3}));
  EXPECT_EQ(ids(*tokenizer, "the the the the", 4), (Ids{2, 4, 4, 3}));
  EXPECT_EQ(ids(*tokenizer, "the the the the", 2), (Ids{2, 3}));
  EXPECT_EQ(ids(*tokenizer, "the the the the", 1), (Ids{2}));
  EXPECT_TRUE(ids(*tokenizer, "the", 0).empty());
  EXPECT_EQ(tokenizer->tokens("the the the", 3).size(), 3u);
  // What the text says is text; a last sigma is one like the others.
  EXPECT_EQ(ids(*tokenizer, "[SEP] ΣΑΣ"), (Ids{2, 7, 8, 9, 6, 3}));
  const auto saved = folder / "saved";
  std::filesystem::create_directories(saved);
  tokenizer->save(saved);
  EXPECT_FALSE(is_bert_folder(saved));
  EXPECT_EQ(ids(*load_tokenizer(saved), "the Café"), (Ids{2, 4, 5, 3}));
}

TEST(WordPiece, ReadsTheSettingsOfABertFolder) {
  const testing::TemporaryFolder folder;
  EXPECT_FALSE(is_bert_folder(folder.path()));
  EXPECT_MENTIONS(testing::error_of([&] { load_bert_tokenizer(folder.path()); }), "vocab.txt");
  folder.write("spiece.model", "x");
  EXPECT_MENTIONS(testing::error_of([&] { load_bert_tokenizer(folder.path()); }), "spiece.model",
                  "WordPiece");
  folder.write("vocab.txt", kBertVocabulary);
  const auto config = [&](const char* settings) {
    folder.write("tokenizer_config.json", settings);
    return bert_tokenizer_config(folder.path());
  };
  EXPECT_TRUE(config("{}").lowercase && config("{}").strip_accents);
  EXPECT_TRUE(is_bert_folder(folder.path()));
  const char* cased = "{\"do_lower_case\": false, \"strip_accents\": null}";
  EXPECT_FALSE(config(cased).lowercase || config(cased).strip_accents);
  const char* accented = "{\"strip_accents\": false}";
  EXPECT_TRUE(config(accented).lowercase && !config(accented).strip_accents);
  EXPECT_EQ(ids(*load_bert_tokenizer(folder.path()), "İ"), (std::vector<std::int32_t>{2, 1, 3}));
  for (const auto* name : {"BertTokenizerFast", "DistilBertTokenizer", "TokenizersBackend"}) {
    EXPECT_TRUE(config(("{\"tokenizer_class\": \"" + std::string(name) + "\"}").c_str()).lowercase);
  }
  EXPECT_MENTIONS(testing::error_of([&] {
                    config(
                        "{\"tokenizer_class\": \"BertJapaneseTokenizer\", "
                        "\"word_tokenizer_type\": \"mecab\"}");
                  }),
                  "tokenizer_config.json", "BertJapaneseTokenizer", "WordPiece");
  for (const auto* wrong : {"[]", "{\"do_lower_case\": 1}", "{\"tokenize_chinese_chars\": false}",
                            "{\"do_lower_case\""}) {
    EXPECT_MENTIONS(testing::error_of([&] { config(wrong); }), "tokenizer_config.json");
  }
}

std::string tokenizer_json(const std::string& model, const std::string& lowercase = "true") {
  return "{\"version\": \"1.0\", \"added_tokens\": [{\"id\": 1, \"content\": \"[UNK]\", "
         "\"special\": true}], \"normalizer\": {\"type\": \"BertNormalizer\", \"clean_text\": "
         "true, "
         "\"handle_chinese_chars\": true, \"strip_accents\": null, \"lowercase\": " +
         lowercase + "}, \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, \"model\": {" +
         model + "}}";
}

const char* const kWordPieceModel =
    "\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", \"continuing_subword_prefix\": \"##\", "
    "\"max_input_chars_per_word\": 100, \"vocab\": {\"[PAD]\": 0, \"[UNK]\": 1, \"[CLS]\": 2, "
    "\"[SEP]\": 3, \"the\": 4, \"##s\": 9}";

TEST(WordPiece, ReadsATokenizerJsonAlone) {
  const testing::TemporaryFolder folder;
  const auto write = [&](const std::string& content) { folder.write("tokenizer.json", content); };
  const auto error = [&] { return testing::error_of([&] { load_bert_tokenizer(folder.path()); }); };
  write(tokenizer_json(kWordPieceModel));
  EXPECT_TRUE(is_bert_folder(folder.path()));
  const auto tokenizer = load_bert_tokenizer(folder.path());
  EXPECT_EQ(ids(*tokenizer, "Thes THE x"), (std::vector<std::int32_t>{2, 4, 9, 4, 1, 3}));
  EXPECT_EQ(tokenizer->vocabulary_size(), 10);
  write(tokenizer_json(kWordPieceModel, "false"));
  EXPECT_FALSE(bert_tokenizer_config(folder.path()).lowercase);
  EXPECT_FALSE(bert_tokenizer_config(folder.path()).strip_accents);
  folder.write("tokenizer_config.json", "{\"do_lower_case\": true}");
  EXPECT_TRUE(bert_tokenizer_config(folder.path()).strip_accents);
  write(tokenizer_json("\"type\": \"Unigram\", \"vocab\": [[\"a\", 1.5]]"));
  EXPECT_MENTIONS(error(), "tokenizer.json", "model.type is \"Unigram\"", "WordPiece");
  auto added = tokenizer_json(kWordPieceModel);
  added.replace(added.find("\"[UNK]\", \"special\": true"), 24, "\"own\", \"special\": false");
  write(added);
  EXPECT_MENTIONS(error(), "tokenizer.json", "adds the token 'own'");
  auto ids_wrong = tokenizer_json(kWordPieceModel);
  ids_wrong.replace(ids_wrong.find("\"##s\": 9"), 8, "\"##s\": -");
  write(ids_wrong);
  EXPECT_MENTIONS(error(), "tokenizer.json", "JSON");
  write("{\"model\": 3}");
  EXPECT_MENTIONS(error(), "tokenizer.json", "model.type");
}

TEST(WordPiece, OfATokenOnSeveralLinesTheLastCounts) {
  const testing::TemporaryFolder folder;
  folder.write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\nthe\n\ncat\nthe\n\n##s\n");
  const auto tokenizer = load_bert_tokenizer(folder.path());
  EXPECT_EQ(ids(*tokenizer, "the cats"), (std::vector<std::int32_t>{1, 6, 5, 8, 2}));
  std::filesystem::create_directories(folder / "saved");
  tokenizer->save(folder / "saved");
  EXPECT_EQ(ids(*load_tokenizer(folder / "saved"), "the cats"), ids(*tokenizer, "the cats"));
}

TEST(Tokenizers, SpecialTokensNeedAVocabularyThatHasThem) {
  const testing::TemporaryFolder folder;
  TokenizerConfig config;
  config.special_tokens = true;
  EXPECT_MENTIONS(testing::error_of([&] { make_tokenizer(config, kTexts); }), "special_tokens",
                  "wordpiece");
  config.tokenizer = "wordpiece";
  config.model_file = folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\nthe\n");
  EXPECT_MENTIONS(testing::error_of([&] { make_tokenizer(config, kTexts); }), "[SEP]");
}

TEST(Tokenizers, BadInputIsRefused) {
  const testing::TemporaryFolder folder;
  TokenizerConfig config;
  EXPECT_NE(testing::error_of([&] { make_tokenizer(config, [](const auto&) {}); }), "");
  EXPECT_NE(testing::error_of([&] { load_tokenizer(folder / "none"); }), "");
  config.tokenizer = "wordpiece";
  config.model_file = folder.write("vocab.txt", "[UNK]\na\x01\n");
  EXPECT_MENTIONS(testing::error_of([&] { make_tokenizer(config, kTexts); }), "vocab.txt");
  config.model_file = folder / "gone.txt";
  EXPECT_MENTIONS(testing::error_of([&] { make_tokenizer(config, kTexts); }), "gone.txt");
  config.tokenizer = "sentencepiece";
  config.model_file = folder.write("bad.model", "no model");
  EXPECT_MENTIONS(testing::error_of([&] { make_tokenizer(config, kTexts); }), "bad.model");
}

TEST(Normalizer, BringsSpellingsTogether) {
  TokenizerConfig config;
  config.strip_accents = true;
  config.strip_markup = true;
  const Normalizer normalizer(config);
  EXPECT_EQ(normalizer.normalize("ＣＡＦÉ"), "cafe");
  EXPECT_EQ(normalizer.normalize("co\u00ADoperate \u202Ea\u200Bb"), "cooperate a b");
  EXPECT_EQ(normalizer.normalize("می\u200Cخواهم"), "می\u200Cخواهم");
}

TEST(StripMarkup, DropsTagsAndWhatIsNoText) {
  EXPECT_EQ(strip_markup("a<br />b &amp; c < d"), "a b & c < d");
  EXPECT_EQ(strip_markup("<p class=\"x>y\" hidden>a</p><!DOCTYPE html>b"), " a  b");
  EXPECT_EQ(
      strip_markup("x <script>var x = 1 < 2;</SCRIPT >seen <!-- a > b --> z<style>p{}</style>"),
      "x  seen   z ");
  for (const char* kept :
       {"this a<b and c>d", "a < b", "<3", "<user@host.com>", "x <- y", "a<b", "<"}) {
    EXPECT_EQ(strip_markup(kept), kept);
  }
}

TEST(StripMarkup, DecodesAllEntities) {
  EXPECT_EQ(strip_markup("Caf&eacute; &rsquo;n&rsquo; &mdash; 5&nbsp;&euro;"),
            "Caf\u00e9 \u2019n\u2019 \u2014 5\u00a0\u20ac");
  EXPECT_EQ(strip_markup("&#233;&#xE9;&#146;&CounterClockwiseContourIntegral;&NotEqualTilde;"),
            "\u00e9\u00e9\u2019\u2233\u2242\u0338");
  for (const char* kept : {"AT&T", "&unknown;", "&#0;", "&#x110000;", "& lt;", "&"}) {
    EXPECT_EQ(strip_markup(kept), kept);
  }
}

TEST(StripMarkup, TakesLinearTime) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "<!--<script>&";
  EXPECT_FALSE(strip_markup(text).empty());
}

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(display_width("Zo\u00eb"), 3U);
  EXPECT_EQ(display_width("e\u0301\u2581"), 2U);
  EXPECT_EQ(display_width("\u6771\u4eac"), 4U);
  EXPECT_EQ(display_width("\U0001F468\u200D\U0001F469"), 2U);
  EXPECT_EQ(padded("\u6771", 4), "\u6771  ");
}

TEST(Tokenizers, AHugeTextCostsItsHead) {
  TokenizerConfig config;
  config.minimum_count = 1;
  const auto tokenizer = make_tokenizer(config, kTexts);
  const std::string huge(100'000'000, 'a');
  EXPECT_LE(ids(*tokenizer, huge, 4).size(), 4u);
}

}  // namespace
}  // namespace fastformer::text

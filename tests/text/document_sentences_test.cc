#include "fastformer/text/document_sentences.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "fastformer/text/one_line.h"

namespace fastformer::text {
namespace {

using Parts = std::vector<std::pair<SentenceKind, std::string>>;

constexpr auto kText = SentenceKind::kSentence;
constexpr auto kHeading = SentenceKind::kHeading;
constexpr auto kItem = SentenceKind::kListItem;
constexpr auto kCaption = SentenceKind::kCaption;

Parts parts_of(std::string_view document) {
  Parts parts;
  for (const auto& sentence : document_sentences(document)) {
    EXPECT_GE(sentence.text.data(), document.data());
    EXPECT_LE(sentence.text.data() + sentence.text.size(), document.data() + document.size());
    parts.emplace_back(sentence.kind, sentence.text);
  }
  return parts;
}

TEST(DocumentSentences, FindsHeadings) {
  EXPECT_EQ(
      parts_of("Introduction\n\nWe measured the speed. It doubled.\n"),
      (Parts{
          {kHeading, "Introduction"}, {kText, "We measured the speed."}, {kText, "It doubled."}}));
  EXPECT_EQ(parts_of("# A Title.\nText."), (Parts{{kHeading, "# A Title."}, {kText, "Text."}}));
  EXPECT_EQ(parts_of("1. Methods\nWe did it."),
            (Parts{{kHeading, "1. Methods"}, {kText, "We did it."}}));
  EXPECT_EQ(parts_of("Was ist neu?\nAlles."), (Parts{{kText, "Was ist neu?"}, {kText, "Alles."}}));
  // Nothing follows, so it is no heading.
  EXPECT_EQ(parts_of("First sentence.\nand then the end"),
            (Parts{{kText, "First sentence."}, {kText, "and then the end"}}));
  // Headlines, verses and lists without marks are text.
  EXPECT_EQ(parts_of("One\nTwo\nThree"), (Parts{{kText, "One"}, {kText, "Two"}, {kText, "Three"}}));
  EXPECT_EQ(
      parts_of("One\nTwo\nThree\nFour\nThe end."),
      (Parts{
          {kText, "One"}, {kText, "Two"}, {kText, "Three"}, {kText, "Four"}, {kText, "The end."}}));
  EXPECT_EQ(parts_of("2.1. Methods\nWe did it.")[0].second, "2.1. Methods");
  EXPECT_EQ(parts_of("II. METHODS\nWe did it.")[0].first, kHeading);
  EXPECT_EQ(parts_of("#1 in the world.\nWe did it.")[0].first, kText);
}

TEST(DocumentSentences, FindsItemsAndCaptions) {
  EXPECT_EQ(
      parts_of("We need:\n- bread and milk\n- eggs. Fresh ones.\n1) a knife\n\nThen we cook."),
      (Parts{{kText, "We need:"},
             {kItem, "- bread and milk"},
             {kItem, "- eggs."},
             {kItem, "Fresh ones."},
             {kItem, "1) a knife"},
             {kText, "Then we cook."}}));
  EXPECT_EQ(
      parts_of("Figure 3: The speed over time\nThe speed rises.\nTable 12. Results. All of them."),
      (Parts{{kCaption, "Figure 3: The speed over time"},
             {kText, "The speed rises."},
             {kCaption, "Table 12."},
             {kCaption, "Results."},
             {kCaption, "All of them."}}));
  EXPECT_EQ(parts_of("Figure 3 shows it. Table of contents."),
            (Parts{{kText, "Figure 3 shows it."}, {kText, "Table of contents."}}));
}

TEST(DocumentSentences, JoinsBrokenParagraphs) {
  const std::string broken =
      "The committee met on Monday in order to discuss\n"
      "the budget of the coming year with Mr. Smith of\n"
      "Kent. No decision was made.\n"
      "\n"
      "A second paragraph is here and it does not belong to\n"
      "the first.";
  EXPECT_EQ(
      parts_of(broken),
      (Parts{{kText,
              "The committee met on Monday in order to discuss\nthe budget of the coming year "
              "with Mr. Smith of\nKent."},
             {kText, "No decision was made."},
             {kText, "A second paragraph is here and it does not belong to\nthe first."}}));
  // The same with other line ends and letters.
  EXPECT_EQ(parts_of("Комитет собрался в понедельник, чтобы обсудить\r\n"
                     "бюджет следующего года вместе с министром\r\nфинансов. Решения нет.")
                .size(),
            2u);
  EXPECT_EQ(parts_of("First.\rSecond."), (Parts{{kText, "First."}, {kText, "Second."}}));
  // A number may come to stand at the beginning of a line.
  EXPECT_EQ(parts_of("The committee met on Monday and agreed on points\n"
                     "12. They are printed here for all the members who\nwere absent.")[0]
                .first,
            kText);
  // What is not broken at a width is not joined.
  EXPECT_EQ(
      parts_of("the first line of this text is a sentence of some length\nThe second\nis short."),
      (Parts{{kHeading, "the first line of this text is a sentence of some length"},
             {kHeading, "The second"},
             {kText, "is short."}}));
}

TEST(DocumentSentences, LeavesOutWhatHasNoWord) {
  EXPECT_TRUE(parts_of("").empty());
  EXPECT_TRUE(parts_of(" \n\t\r\n *** \n ----- \n . \n").empty());
  EXPECT_EQ(parts_of("* * *\nA word.\n======\n"), (Parts{{kText, "A word."}}));
}

TEST(DocumentSentences, CutsLongSentences) {
  std::string words;
  for (int i = 0; i < 1000; ++i) words += "word ";
  std::string joined;
  int pieces = 0;
  for (const auto& [kind, text] : parts_of(words)) {
    EXPECT_EQ(kind, kText);
    EXPECT_LE(text.size(), kLongestSentence);
    EXPECT_NE(text.front(), ' ');
    joined += text + " ";
    ++pieces;
  }
  EXPECT_EQ(pieces, 9);
  EXPECT_EQ(joined, words);
  // Without white space, between characters.
  std::string characters;
  for (int i = 0; i < 1000; ++i) characters += "é";
  std::string all;
  for (const auto& [kind, text] : parts_of(characters)) {
    EXPECT_LE(text.size(), kLongestSentence);
    EXPECT_EQ(text.size() % 2, 0u);
    all += text;
  }
  EXPECT_EQ(all, characters);
  EXPECT_TRUE(parts_of(std::string(10'000, '\x80')).empty());  // not UTF-8
}

TEST(DocumentSentences, ReadsOtherScripts) {
  EXPECT_EQ(parts_of("标题\n第一句话。第二句话！\n图 2：说明"), (Parts{{kHeading, "标题"},
                                                                       {kText, "第一句话。"},
                                                                       {kText, "第二句话！"},
                                                                       {kText, "图 2：说明"}}));
  EXPECT_EQ(parts_of("مرحبا بالعالم. كيف حالك؟"),
            (Parts{{kText, "مرحبا بالعالم."}, {kText, "كيف حالك؟"}}));
}

TEST(DocumentSentences, ATextMayHaveNothingButHeadings) {
  const auto some = document_sentences("Title\n\nA sentence.\nTable 1: Numbers\n- an item");
  EXPECT_EQ(text_sentences(some), (std::vector<std::size_t>{1, 3}));
  const auto captions = document_sentences("Table 1: Numbers\n# Title");
  EXPECT_EQ(text_sentences(captions), (std::vector<std::size_t>{0, 1}));
}

std::string line_of(const std::vector<std::string_view>& sentences) {
  return in_one_line(sentences);
}

TEST(DocumentSentences, BecomeOneLine) {
  EXPECT_EQ(line_of({"One\r\n  two.", "Three."}), "One two. Three.");
  EXPECT_EQ(line_of({"第一句。", "“第二\n句。”", "第三句。"}), "第一句。“第二句。”第三句。");
  EXPECT_EQ(line_of({"第一句。", "Second."}), "第一句。 Second.");
  EXPECT_EQ(line_of({"ประโยคแรก", "ประโยคที่สอง"}), "ประโยคแรก ประโยคที่สอง");
  EXPECT_EQ(line_of({}), "");
}

}  // namespace
}  // namespace fastformer::text

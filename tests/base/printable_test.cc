#include "fastformer/base/printable.h"

#include <gtest/gtest.h>

#include "fastformer/base/format.h"

namespace fastformer::base {
namespace {

TEST(Printable, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("plain é 日本 😀"), "plain é 日本 😀");
  EXPECT_EQ(printable("\x1b]0;owned\a"), "\\x1b]0;owned\\x07");
  EXPECT_EQ(printable("two\r\nlines\t\x7f"), "two\\x0d\\x0alines\\x09\\x7f");
  EXPECT_EQ(printable("\u009b\u2028\u202e"), "\\u009b\\u2028\\u202e");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(Printable, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(printable("\xff\xc0\xaf"), "\\xff\\xc0\\xaf");
  EXPECT_EQ(printable("\xe0\x80\x80"), "\\xe0\\x80\\x80");           // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  EXPECT_EQ(printable("a\xe6\x97"), "a\\xe6\\x97");                  // cut off
}

TEST(Printable, AnExcerptIsShortAndWhole) {
  EXPECT_EQ(excerpt("short"), "short");
  EXPECT_EQ(excerpt("abcdef", 3), "abc...");
  EXPECT_EQ(excerpt("日本語", 4), "日本...");
  EXPECT_LT(excerpt(std::string(1 << 20, 'x')).size(), 110u);
  EXPECT_LT(excerpt(std::string(1 << 20, '\n')).size(), 110u);
}

TEST(Printable, FindsControlCharacters) {
  EXPECT_FALSE(has_control_characters("plain é 日本"));
  for (const auto* text : {"a\tb", "a\n", "\r", "\x1b[0m", "\x7f", "\u0085"}) {
    EXPECT_TRUE(has_control_characters(text)) << printable(text);
  }
}

TEST(Suggestion, LooksAtNoEndlessWordsAndListsFew) {
  const std::vector<std::string> names = {"epochs", std::string(200'000, 'e')};
  EXPECT_EQ(nearest(std::string(200'000, 'e'), names), "");
  EXPECT_EQ(suggestion("epoks", names), "; did you mean 'epochs'?");
  EXPECT_LT(suggestion("x", std::vector<std::string>(100'000, "parameter")).size(), 1000u);
}

}  // namespace
}  // namespace fastformer::base

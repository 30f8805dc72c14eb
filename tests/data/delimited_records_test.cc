#include "fastformer/data/delimited_records.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fastformer/data/bad_row.h"
#include "fastformer/data/header_row.h"
#include "support/temporary_folder.h"

namespace fastformer::data {
namespace {

using Rows = std::vector<std::vector<std::string>>;

class DelimitedRecordsTest : public ::testing::Test {
 protected:
  Rows rows(const std::string& content, char delimiter = ',', const DialectConfig& config = {}) {
    DelimitedRecords records(folder_.write("a.csv", content), delimiter, {}, config);
    Rows all;
    for (std::vector<std::string> cells; records.next(cells);) all.push_back(cells);
    notices_ = records.notices();
    return all;
  }
  std::string error(const std::string& content, const DialectConfig& config = {}) {
    return testing::error_of([&] { rows(content, ',', config); });
  }
  testing::TemporaryFolder folder_;
  std::vector<std::string> notices_;
};

TEST_F(DelimitedRecordsTest, QuotesHoldDelimitersLineEndsAndQuotes) {
  EXPECT_EQ(rows("a,\"b, c\"\n\"d\n\"\"e\"\"\",f\n\n"), (Rows{{"a", "b, c"}, {"d\n\"e\"", "f"}}));
  EXPECT_EQ(rows("a, \"b, c\" , d\n"), (Rows{{"a", "b, c", " d"}}));
  EXPECT_EQ(rows("a, \"b\" said he\n"), (Rows{{"a", " \"b\" said he"}}));
  EXPECT_EQ(rows("a,'b,c'\n", ',', {.quote = "'"}), (Rows{{"a", "b,c"}}));
  EXPECT_EQ(rows("a,\"b\" c\n", ',', {.quote = "none"}), (Rows{{"a", "\"b\" c"}}));
  const DialectConfig spark = {.quote_escape = QuoteEscape::kBackslash};
  EXPECT_EQ(rows("a,\"b \\\"c\\\", d\\\\ \\n\"\n", ',', spark), (Rows{{"a", "b \"c\", d\\ \\n"}}));
  EXPECT_MENTIONS(error("a,\"b\" c\n"), "a.csv:1", "data.quote");
  EXPECT_MENTIONS(error("a,b\nc,\"d\n"), "a.csv:2", "never closed");
}

TEST_F(DelimitedRecordsTest, TabsComeWithoutQuotesUnlessEachCellHasThem) {
  const auto expected = Rows{{"n", "\"awful fan"}, {"p", "fine"}, {"n", "torn\""}};
  EXPECT_EQ(rows("n\t\"awful fan\np\tfine\nn\ttorn\"\n", '\t'), expected);
  EXPECT_EQ(rows("n\t\"Best\" they said\n", '\t'), (Rows{{"n", "\"Best\" they said"}}));
  EXPECT_EQ(rows("\"n\"\t\"a \"\"b\"\"\"\n", '\t'), (Rows{{"n", "a \"b\""}}));
}

TEST_F(DelimitedRecordsTest, TabsWithTheQuotesOfACsvAreDetected) {
  // As pandas and Excel write them: only cells that hold a tab, a quote or a line end.
  const std::string plain = "n\tfine\np\tgood\n";
  EXPECT_EQ(rows(plain + "n\t\"a \"\"b\"\"\"\n", '\t').back(), (Rows{{"n", "a \"b\""}}).back());
  EXPECT_EQ(rows(plain + "n\t\"a\tb\"\n", '\t').back(), (Rows{{"n", "a\tb"}}).back());
  EXPECT_EQ(rows(plain + "n\t\"a\nb\"\n", '\t').back(), (Rows{{"n", "a\nb"}}).back());
  EXPECT_EQ(rows(plain + "n\t\"a\"\n", '\t').back(), (Rows{{"n", "\"a\""}}).back());
  EXPECT_EQ(rows("n,t\n" + plain + "n\t\"a\tb\"\n", ',').size(), 4U);
}

TEST_F(DelimitedRecordsTest, QuotesBehindABackslashAreDetected) {
  const std::string spark =
      "label,text\np,\"he said \\\"no\\\", twice\"\nn,plain\np,\"\\\"Great\\\" chair\"\n";
  EXPECT_EQ(rows(spark), (Rows{{"label", "text"},
                               {"p", "he said \"no\", twice"},
                               {"n", "plain"},
                               {"p", "\"Great\" chair"}}));
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_MENTIONS(notices_[0], "a.csv", "quote_escape");
  // A backslash before a closing quote is text where quotes are doubled.
  EXPECT_EQ(rows("l,t\np,\"C:\\dir\\\"\nn,\"a \"\"b\"\"\"\n"),
            (Rows{{"l", "t"}, {"p", "C:\\dir\\"}, {"n", "a \"b\""}}));
  EXPECT_TRUE(notices_.empty());
  EXPECT_MENTIONS(error(spark, {.quote_escape = QuoteEscape::kDoubled}), "a.csv:2");
}

TEST_F(DelimitedRecordsTest, TheDelimiterIsDetectedAndSaid) {
  const auto expected = Rows{{"label", "text"}, {"p", "a, b"}, {"n", "c"}};
  for (const std::string delimiter : {";", "|", "\t"}) {
    EXPECT_EQ(rows("label" + delimiter + "text\np" + delimiter + "a, b\nn" + delimiter + "c\n"),
              expected)
        << delimiter;
    ASSERT_EQ(notices_.size(), 1U);
    EXPECT_MENTIONS(notices_[0], "a.csv", "separated by");
  }
  EXPECT_EQ(rows("sep=;\nlabel;text\np;a, b\nn;c\n"), expected);
  EXPECT_EQ(rows("label:text\np:a, b\nn:c\n", ',', {.delimiter = ":"}), expected);
  EXPECT_EQ(rows("label,text\np,a; b\nn,c; d\n").front().size(), 2U);
  std::string texts = "text\n";
  for (int i = 0; i < 30; ++i) texts += "good; bad\n";
  EXPECT_EQ(rows(texts).back().size(), 1U);
  EXPECT_TRUE(notices_.empty());
  EXPECT_MENTIONS(testing::error_of([] { DialectConfig{.delimiter = "ab"}.validate(); }), "ab");
}

TEST_F(DelimitedRecordsTest, AQuoteThatSwallowsManyRowsIsNoticed) {
  std::string swallowed = "a,b\nc,\"d\n";
  for (int i = 0; i < 150; ++i) swallowed += "e,f\n";
  EXPECT_EQ(rows(swallowed + "g,h\"\n").size(), 2U);
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_MENTIONS(notices_[0], "a.csv:2", "152 lines", "data.quote");
}

TEST_F(DelimitedRecordsTest, ABlankLineIsARecordOfAFileWithOneColumn) {
  EXPECT_EQ(rows("text\na\n\nb\n"), (Rows{{"text"}, {"a"}, {""}, {"b"}}));
  EXPECT_EQ(rows("l,t\n\na,b\n"), (Rows{{"l", "t"}, {"a", "b"}}));
}

TEST_F(DelimitedRecordsTest, ReadingGoesOnBehindABadRow) {
  DelimitedRecords records(folder_.write("a.csv", "a,b\nc,\"d\" e\nf,g\n"), ',');
  std::vector<std::string> cells;
  ASSERT_TRUE(records.next(cells));
  EXPECT_THROW(records.next(cells), BadRow);
  ASSERT_TRUE(records.next(cells));
  EXPECT_EQ(records.where(), (folder_ / "a.csv").string() + ":3");
}

TEST(RowWidth, GivesRowsTheCellsOfTheFirst) {
  const auto fits = [](const RowWidth& width, std::vector<std::string> row, std::size_t size) {
    return width.fit(row) && row.size() == size;
  };
  const RowWidth width({"a", "b", ""}, 1);
  EXPECT_TRUE(fits(width, {"x", "y"}, 3));
  EXPECT_TRUE(fits(width, {"x", "y", "z", "", ""}, 3));
  EXPECT_FALSE(fits(width, {"x"}, 3));
  EXPECT_FALSE(fits(width, {"x", "y", "z", "w"}, 3));
  EXPECT_EQ(RowWidth({"a", "", ""}, 2).least(), 2u);
  // A first row of a million delimiters does not make each row as wide.
  const RowWidth wide(std::vector<std::string>(1'000'000), 1);
  EXPECT_LE(wide.most(), 101u);
  EXPECT_TRUE(fits(wide, {"x"}, wide.most()));
}

TEST(HeaderRow, IsToldByWhatStandsBelow) {
  const auto heading = [](Rows rows, std::optional<std::size_t> label = 0) {
    for (int i = 0; i < 12; ++i) {
      rows.push_back({i % 2 == 0 ? "y" : "n", "a great sturdy chair number " + std::to_string(i)});
    }
    return first_row_is_heading(rows, {.text = {1}, .label = label});
  };
  EXPECT_TRUE(heading({{"v1", "v2"}}));
  EXPECT_TRUE(heading({{"Sentiment_Label", "Review"}}));
  EXPECT_TRUE(heading({{"label", "text of review"}}));
  EXPECT_FALSE(heading({{"y", "great chair"}}));
  EXPECT_FALSE(heading({{"rare", "a text of its own class stands here"}}));
  EXPECT_TRUE(heading({{"x", "text"}}, std::nullopt));
  EXPECT_TRUE(heading({{"v1", "v2"}}, std::nullopt));
  EXPECT_FALSE(heading({{"x", "great chair that was delivered late"}}, std::nullopt));
  const Rows numbers = {{"v", "w"}, {"1", "a"}, {"2.5", "b"}};
  EXPECT_TRUE(first_row_is_heading(numbers, {.text = {1}, .label = 0}));
  EXPECT_FALSE(first_row_is_heading(Rows{{"3", "w"}, {"1", "a"}}, {.text = {1}, .label = 0}));
}

}  // namespace
}  // namespace fastformer::data

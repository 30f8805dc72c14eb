#include "fastformer/data/title_tokens.h"

#include <gtest/gtest.h>

#include <vector>

#include "fastformer/text/bert_tokenizer.h"
#include "support/temporary_folder.h"

namespace fastformer::data {
namespace {

std::vector<std::int32_t> ids(const TitleTokens& titles, std::int64_t news) {
  const auto title = titles.title(news);
  return {title.begin(), title.end()};
}

TEST(TitleTokens, ACutTitleKeepsItsLastMarkAndAnUnknownNewsHasNoMarks) {
  const testing::TemporaryFolder folder;
  folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\noil\nfalls\n");
  NewsTable news;
  news.add({.id = "long", .title = "oil falls oil falls", .category = ""});
  news.add({.id = "fits", .title = "oil falls", .category = ""});
  news.add({.id = "untitled", .title = "", .category = ""});
  const auto titles = tokenize_titles(news, *text::load_bert_tokenizer(folder.path()), 4);
  EXPECT_EQ(ids(titles, NewsTable::kUnknown), std::vector<std::int32_t>{});
  EXPECT_EQ(ids(titles, 1), (std::vector<std::int32_t>{2, 4, 5, 3}));
  EXPECT_EQ(ids(titles, 2), (std::vector<std::int32_t>{2, 4, 5, 3}));
  EXPECT_EQ(titles.cut, 1);
  EXPECT_EQ(ids(titles, 3), (std::vector<std::int32_t>{2, 3}));
  EXPECT_EQ(titles.empty, 1);
}

}  // namespace
}  // namespace fastformer::data

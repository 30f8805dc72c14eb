#include "fastformer/recommendation/item_table.h"

#include <gtest/gtest.h>

#include <vector>

#include "fastformer/text/bert_tokenizer.h"
#include "support/temporary_folder.h"

namespace fastformer::recommendation {
namespace {

std::vector<std::int32_t> ids(const TitleTokens& titles, std::int64_t item) {
  const auto title = titles.title(item);
  return {title.begin(), title.end()};
}

TEST(TitleTokens, ACutTitleKeepsItsLastMarkAndAnUnknownItemHasNoMarks) {
  const testing::TemporaryFolder folder;
  folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\noil\nfalls\n");
  ItemTable items;
  items.add({.id = "long", .title = "oil falls oil falls", .category = ""});
  items.add({.id = "fits", .title = "oil falls", .category = ""});
  items.add({.id = "untitled", .title = "", .category = ""});
  const auto titles = tokenize_titles(items, *text::load_bert_tokenizer(folder.path()), 4);
  EXPECT_EQ(ids(titles, ItemTable::kUnknown), std::vector<std::int32_t>{});
  EXPECT_EQ(ids(titles, 1), (std::vector<std::int32_t>{2, 4, 5, 3}));
  EXPECT_EQ(ids(titles, 2), (std::vector<std::int32_t>{2, 4, 5, 3}));
  EXPECT_EQ(titles.cut, 1);
  EXPECT_EQ(ids(titles, 3), (std::vector<std::int32_t>{2, 3}));
  EXPECT_EQ(titles.empty, 1);
}

}  // namespace
}  // namespace fastformer::recommendation

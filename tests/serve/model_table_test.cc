#include "fastformer/serve/model_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "serve/served_model.h"
#include "support/temporary_folder.h"

namespace fastformer::serve {
namespace {

TEST(ModelTable, AReloadReplacesAModelOrLeavesIt) {
  ModelTable table;
  bool damaged = false;
  table.add("a", [&]() -> Model {
    if (damaged) throw std::invalid_argument("damaged");
    return std::make_shared<EchoService>();
  });
  const auto first = table.find("a");
  table.reload("a");
  const auto second = table.find("a");
  EXPECT_NE(first, second);
  damaged = true;
  EXPECT_EQ(testing::error_of([&] { table.reload("a"); }), "damaged");
  EXPECT_EQ(table.find("a"), second);
  EXPECT_EQ(table.find("b"), nullptr);
  EXPECT_EQ(table.names(), std::vector<std::string>{"a"});
}

TEST(ModelTable, NamesArePartsOfPaths) {
  ModelTable table;
  const auto refusal = [&](const std::string& name) {
    return testing::error_of(
        [&] { table.add(name, [] { return std::make_shared<EchoService>(); }); });
  };
  EXPECT_EQ(refusal("ag_news-1.0"), "");
  EXPECT_MENTIONS(refusal("ag_news-1.0"), "two models", "'ag_news-1.0'", "NAME=DIRECTORY");
  for (const auto* name : {"", ".", "..", "a/b", "a b", "ä", "a?b", "a%b"}) {
    EXPECT_MENTIONS(refusal(name), "URL", "NAME=DIRECTORY");
  }
}

}  // namespace
}  // namespace fastformer::serve

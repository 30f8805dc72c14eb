#include "fastformer/data/json_lines.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fastformer/data/bad_row.h"
#include "support/temporary_folder.h"

namespace fastformer::data {
namespace {

class JsonLinesTest : public ::testing::Test {
 protected:
  std::vector<std::string> objects(const std::string& content) {
    JsonLines lines(folder_.write("a.json", content));
    std::vector<std::string> all;
    for (nlohmann::json object; lines.next(object);) {
      const auto where = lines.where();
      all.push_back(where.substr(where.rfind(':') + 1) + object.dump());
    }
    return all;
  }
  testing::TemporaryFolder folder_;
};

using Words = std::vector<std::string>;

TEST_F(JsonLinesTest, ReadsLinesAndArrays) {
  EXPECT_EQ(objects("{\"a\":1}\n\n{\"a\":2}\n"), (Words{"1{\"a\":1}", "3{\"a\":2}"}));
  EXPECT_EQ(objects("[{\"a\":1}, {\"a\":2}]\n"), (Words{"1{\"a\":1}", "1{\"a\":2}"}));
  EXPECT_EQ(objects("[\n  {\n    \"a\": \"],}\\\"\"\n  },\n  {\"a\": [1, {\"b\": 2}]}\n]\n"),
            (Words{"2{\"a\":\"],}\\\"\"}", "5{\"a\":[1,{\"b\":2}]}"}));
  EXPECT_TRUE(objects("[]").empty());
}

TEST_F(JsonLinesTest, RefusesWhatIsNoObject) {
  EXPECT_MENTIONS(testing::error_of([&] { objects("{\"a\":1}\n{\"a\":\n"); }), "a.json:2", "JSON");
  EXPECT_MENTIONS(testing::error_of([&] { objects("[{\"a\":1}, 3]"); }), "a.json:1", "number");
  EXPECT_MENTIONS(testing::error_of([&] { objects("[{\"a\":1},\n{\"a\""); }), "incomplete");
  JsonLines lines(folder_.write("b.json", "x\n{\"a\":1}\n"));
  nlohmann::json object;
  EXPECT_THROW(lines.next(object), BadRow);
  EXPECT_TRUE(lines.next(object));
}

TEST_F(JsonLinesTest, NamesKeepTheirOrder) {
  JsonLines lines(folder_.write("a.json", R"({"b":{"x":1},"a":[{"y":2}],"c":3})"));
  nlohmann::json object;
  ASSERT_TRUE(lines.next(object));
  EXPECT_EQ(lines.names(), (Words{"b", "a", "c"}));
}

TEST_F(JsonLinesTest, ARecordHasTheLimitsOfSettings) {
  const auto repeated = [](const char* text, int count) {
    std::string result;
    for (int i = 0; i < count; ++i) result += text;
    return result;
  };
  const auto error = [&](const std::string& record) {
    return testing::error_of<BadRow>([&] { objects("{\"a\":1}\n" + record + "\n"); });
  };
  // What prints such a value would do so by recursion.
  const auto deep = repeated("[", 200'000) + repeated("]", 200'000);
  EXPECT_MENTIONS(error("{\"a\":" + deep + "}"), "a.json:2", "levels deep");
  EXPECT_MENTIONS(error("{\"a\":1,\"a\":2}"), "a.json:2", "'a'", "twice");
  EXPECT_MENTIONS(error("{\"a\":[" + repeated("[],", 1'000'000) + "1]}"), "a.json:2", "lists");
  EXPECT_MENTIONS(error("{\"a\":1e400}"), "a.json:2", "too large");
  EXPECT_EQ(error("{\"a\":" + repeated("[", 60) + repeated("]", 60) + "}"), "");
}

}  // namespace
}  // namespace fastformer::data

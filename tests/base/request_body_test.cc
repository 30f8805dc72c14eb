#include "fastformer/base/request_body.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "fastformer/base/json_text.h"
#include "support/temporary_folder.h"

namespace fastformer::base {
namespace {

using testing::error_of;

constexpr RequestLimits kLimits = {.inputs = 3, .text_bytes = 8, .top = 5};

TEST(RequestBody, ReadsMembersOfTheirTypes) {
  RequestBody body(R"({"texts":["a","\u00e4"],"k":5,"yes":true,"o":{"x":[1]},"ids":[]})", kLimits);
  EXPECT_EQ(body.texts("texts"), (std::vector<std::string>{"a", "ä"}));
  EXPECT_EQ(body.integer("k", 1, 5), 5);
  EXPECT_EQ(body.flag("yes"), true);
  EXPECT_EQ(body.object("o"), R"({"x":[1]})");
  EXPECT_EQ(body.ids("ids"), std::vector<std::string>());
  EXPECT_EQ(body.flag("absent"), std::nullopt);
  body.check_all_read();
}

TEST(RequestBody, NamesTheWrongMember) {
  const auto refusal = [](const char* json, auto&& read) {
    return error_of([&] {
      RequestBody body(json, kLimits);
      read(body);
    });
  };
  const auto texts = [](RequestBody& body) { body.texts("texts"); };
  EXPECT_MENTIONS(refusal("[]", texts), "the body is a list", "JSON object");
  EXPECT_MENTIONS(refusal("{", texts), "the body", "not valid JSON");
  EXPECT_MENTIONS(refusal("", texts), "the body is empty");
  EXPECT_MENTIONS(refusal("{}", texts), "texts", "missing", "list of texts");
  EXPECT_MENTIONS(refusal(R"({"texts":"a"})", texts), "texts is a text", "list of texts");
  EXPECT_MENTIONS(refusal(R"({"texts":[]})", texts), "texts", "empty");
  EXPECT_MENTIONS(refusal(R"({"texts":["a",1]})", texts), "texts[1] is a number");
  EXPECT_MENTIONS(refusal(R"({"texts":["a"],"texts":["b"]})", texts), "'texts'", "twice");
  const auto number = [](RequestBody& body) { body.integer("k", 1, 5); };
  for (const char* value :
       {"0", "6", "1.0", "\"1\"", "null", "18446744073709551615", "-1", "1e0"}) {
    EXPECT_MENTIONS(refusal(("{\"k\":" + std::string(value) + "}").c_str(), number), "k is",
                    "from 1 to 5");
  }
  EXPECT_MENTIONS(refusal(R"({"yes":1})", [](RequestBody& body) { body.flag("yes"); }), "yes",
                  "true or false");
  EXPECT_MENTIONS(refusal(R"({"a":1,"b":2})",
                          [](RequestBody& body) {
                            body.integer("a", 0, 9);
                            body.check_all_read();
                          }),
                  "the body", "'b'", "only a");
}

TEST(RequestBody, NamesTheElement) {
  const auto refusal = [](const char* json) {
    return error_of([&] {
      RequestBody(json, kLimits).objects("users", [](RequestBody& user) { user.ids("history"); });
    });
  };
  EXPECT_EQ(refusal(R"({"users":[{"history":["a"]},{}]})"), "");
  EXPECT_MENTIONS(refusal(R"({"users":[{"history":["a",2]}]})"), "users[0].history[1] is a number");
  EXPECT_MENTIONS(refusal(R"({"users":[{},3]})"), "users[1] is a number");
  EXPECT_MENTIONS(refusal(R"({"users":[{"x":1}]})"), "users[0] has a member 'x'");
}

TEST(RequestBody, RefusesWhatIsTooLarge) {
  const auto too_large = [](const char* json) {
    return error_of<TooLarge>([&] { RequestBody(json, kLimits).texts("texts"); });
  };
  EXPECT_MENTIONS(too_large(R"({"texts":["a","b","c","d"]})"), "texts", "4", "limit", "3");
  EXPECT_MENTIONS(too_large(R"({"texts":["a","123456789"]})"), "texts[1]", "9", "limit", "8");
}

TEST(RequestBody, RefusalsReachOnlyTheirExchange) {
  std::vector<Exchange> exchanges(3);
  exchanges[0].body = R"({"texts":["a"]})";
  exchanges[1].body = R"({"texts":["123456789"]})";
  exchanges[2].body = R"({"texts":["b"],"more":1})";
  const std::vector<Exchange*> pointers = {&exchanges[0], &exchanges[1], &exchanges[2]};
  using Texts = std::vector<std::string>;
  const auto requests = read_requests<Texts>(pointers, kLimits,
                                             [](RequestBody& body) { return body.texts("texts"); });
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].first, &exchanges[0]);
  EXPECT_TRUE(exchanges[0].refusal.empty());
  EXPECT_TRUE(exchanges[1].too_large);
  EXPECT_MENTIONS(exchanges[2].refusal, "'more'");
  EXPECT_FALSE(exchanges[2].too_large);
}

TEST(JsonList, NumbersAreReadBackEqual) {
  const std::vector<float> values = {0.1F, -1e-30F, 3.4028235e38F, 0,
                                     std::numeric_limits<float>::denorm_min()};
  EXPECT_EQ(nlohmann::json::parse(json_list(values)).get<std::vector<float>>(), values);
  EXPECT_EQ(json_list({}), "[]");
}

}  // namespace
}  // namespace fastformer::base

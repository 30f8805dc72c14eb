#include "fastformer/serve/api.h"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <variant>

#include "fastformer/serve/assets.h"
#include "serve/served_model.h"
#include "support/temporary_folder.h"

namespace fastformer::serve {
namespace {

using nlohmann::json;

class ApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    models_.add("loud", [] { return std::make_shared<EchoService>(); });
  }
  Action begin(const std::string& method, const std::string& target, Caller caller = {},
               const std::string& type = "application/json; charset=utf-8",
               const std::string& accept = "") const {
    if (caller.host.empty()) caller.host = "localhost:8080";
    return api_.begin({.method = method,
                       .target = target,
                       .content_type = type,
                       .content_encoding = {},
                       .accept = accept,
                       .caller = caller});
  }
  // The reply to a request that leads to no job.
  Reply reply(const std::string& method, const std::string& target, Caller caller = {}) const {
    return std::get<Reply>(begin(method, target, caller).next);
  }

  ServerOptions options_;
  ModelTable models_;
  Metrics metrics_;
  AccessRules rules_{options_, /*loopback=*/true};
  Api api_{models_, metrics_, rules_};
};

TEST_F(ApiTest, EachPathOfTheDescriptionIsThere) {
  std::string text;
  for (const auto& asset : assets()) {
    if (asset.path == "/openapi.json") text = asset.content;
  }
  const auto description = json::parse(text);
  const std::set<std::string> of_models = {"/v1/models/{name}/classify", "/v1/models/{name}/embed",
                                           "/v1/models/{name}/recommend",
                                           "/v1/models/{name}/summarize"};
  for (const auto& [path, methods] : description["paths"].items()) {
    if (of_models.contains(path)) continue;
    auto target = path;
    if (const auto at = target.find("{name}"); at != std::string::npos) {
      target.replace(at, 6, "loud");
    }
    for (const auto& [method, details] : methods.items()) {
      const auto action = begin(method == "get" ? "GET" : "POST", target);
      EXPECT_NE(action.operation, "none") << target;
      if (const auto* answer = std::get_if<Reply>(&action.next)) {
        EXPECT_EQ(answer->status, 200U) << target;
      }
    }
  }
}

TEST_F(ApiTest, ARequestToAModelIsAJob) {
  const auto action = begin("POST", "/v1/models/loud/echo?verbose");
  const auto job = std::get<std::shared_ptr<Job>>(action.next);
  EXPECT_EQ(action.operation, "echo");
  EXPECT_EQ(job->operation, "echo");
  EXPECT_EQ(job->model, models_.find("loud"));
  EXPECT_FALSE(action.stream);
  EXPECT_FALSE(
      begin("POST", "/v1/models/loud/echo", {}, "application/json", "text/event-stream").stream);
  EXPECT_TRUE(
      begin("POST", "/v1/models/loud/other", {}, "application/json", "text/event-stream").stream);
  EXPECT_EQ(std::get<Action::Reload>(begin("POST", "/v1/models/loud/reload").next).model, "loud");
}

TEST_F(ApiTest, ProblemsSayWhatIsWrong) {
  const auto detail = [&](const char* method, const char* target, unsigned status) {
    const auto answer = reply(method, target);
    EXPECT_EQ(answer.status, status) << target;
    EXPECT_EQ(answer.content_type, "application/problem+json");
    const auto problem = json::parse(answer.body);
    EXPECT_EQ(problem["status"], status);
    EXPECT_FALSE(problem["title"].get<std::string>().empty());
    return problem["detail"].get<std::string>();
  };
  EXPECT_MENTIONS(detail("GET", "/v2", 404), "/v2", "/openapi.json");
  EXPECT_MENTIONS(detail("GET", "/v1/models/quiet", 404), "'quiet'", "/v1/models");
  EXPECT_MENTIONS(detail("POST", "/v1/models/loud/classify", 404), "'classify'",
                  "echo, other, reload");
  EXPECT_MENTIONS(detail("GET", "/v1/models/loud/echo", 405), "only POST");
  EXPECT_MENTIONS(detail("DELETE", "/v1/models", 405), "only GET, HEAD");
  EXPECT_EQ(reply("GET", "http://localhost:8080/healthz").status, 200U);
  EXPECT_EQ(reply("GET", "/v1/models/").status, 200U);
  EXPECT_MENTIONS(detail("OPTIONS", "/v1/models", 405), "only GET, HEAD");
  const auto other_type = begin("POST", "/v1/models/loud/echo", {}, "text/plain");
  EXPECT_EQ(std::get<Reply>(other_type.next).status, 415U);
}

TEST_F(ApiTest, ReadyUntilItDrains) {
  EXPECT_EQ(reply("GET", "/readyz").status, 200U);
  api_.drain();
  EXPECT_EQ(reply("GET", "/readyz").status, 503U);
  EXPECT_EQ(reply("GET", "/healthz").status, 200U);
}

TEST_F(ApiTest, AnswersOfJobs) {
  Job job;
  job.exchange.answer = "[1]";
  EXPECT_EQ(Api::finish(job).body, "[1]");
  EXPECT_TRUE(Api::finish(job).body.empty());  // it was moved
  job.exchange.refusal = "no";
  EXPECT_EQ(Api::finish(job).status, 400U);
  job.exchange.too_large = true;
  EXPECT_EQ(Api::finish(job).status, 413U);
  job.failure = "broken\nin two";
  EXPECT_EQ(Api::finish(job).status, 500U);
  EXPECT_MENTIONS(Api::finish(job).body, "broken");
}

TEST_F(ApiTest, ThePageMayLoadNothingFromOutside) {
  const auto page = reply("GET", "/");
  EXPECT_EQ(page.status, 200U);
  bool found = false;
  for (const auto& [name, value] : page.headers) {
    found |= name == "Content-Security-Policy" && value.starts_with("default-src 'none'");
  }
  EXPECT_TRUE(found);
  for (const auto& asset : assets()) {
    EXPECT_EQ(asset.content.find("https://"), std::string_view::npos) << asset.path;
  }
}

}  // namespace
}  // namespace fastformer::serve

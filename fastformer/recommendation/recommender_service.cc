#include "fastformer/recommendation/recommender_service.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "fastformer/base/json_text.h"
#include "fastformer/base/request_body.h"

namespace fastformer::recommendation {
namespace {

using base::Exchange;
using base::RequestBody;
using nlohmann::ordered_json;

struct UsersRequest {
  std::vector<UserRequest> users;
  RecommendOptions options;
};

UsersRequest read_users(RequestBody& body, const base::RequestLimits& limits) {
  UsersRequest request;
  body.objects("users", [&](RequestBody& user) {
    request.users.push_back({.history = user.ids("history").value_or(std::vector<std::string>()),
                             .candidates = user.ids("candidates")});
  });
  constexpr std::int64_t kDefaultTop = 10;
  request.options.top = static_cast<std::size_t>(
      body.integer("top_k", 1, static_cast<std::int64_t>(limits.top)).value_or(kDefaultTop));
  request.options.explain = body.flag("explain").value_or(false);
  request.options.exclude_seen = body.flag("exclude_seen");
  std::size_t clicks = 1;
  for (const auto& user : request.users) clicks = std::max(clicks, user.history.size());
  const auto results =
      request.users.size() * request.options.top * (request.options.explain ? clicks : 1);
  if (results > limits.work) {
    throw base::TooLarge("users, top_k and explain ask for " + std::to_string(results) +
                         " results; the limit for a request is " + std::to_string(limits.work));
  }
  return request;
}

}  // namespace

nlohmann::ordered_json recommendation_json(const Recommendation& item) {
  ordered_json json = {{"id", item.id}, {"score", item.score}, {"title", item.title}};
  for (const auto& reason : item.reasons) {
    json["clicks"].push_back({{"id", reason.id}, {"title", reason.title}, {"adds", reason.added}});
  }
  return json;
}

std::string RecommenderService::description() const {
  return base::json_text({{"items", catalogue_.size()}});
}

void RecommenderService::recommend(std::span<Exchange* const> exchanges,
                                   const base::RequestLimits& limits) const {
  const auto requests = base::read_requests<UsersRequest>(
      exchanges, limits, [&](RequestBody& body) { return read_users(body, limits); });
  for (const auto& [exchange, request] : requests) {
    exchange->inputs = std::ssize(request.users);
    ordered_json answer = {{"results", ordered_json::array()}};
    for (const auto& result : recommender_.recommend(catalogue_, request.users, request.options)) {
      ordered_json items = ordered_json::array();
      for (const auto& item : result.items) items.push_back(recommendation_json(item));
      answer["results"].push_back({{"items", std::move(items)},
                                   {"cold", result.cold},
                                   {"unknown", result.unknown},
                                   {"unknown_candidates", result.unknown_candidates}});
    }
    exchange->answer = base::json_text(answer);
  }
}

void RecommenderService::embed(std::span<Exchange* const> exchanges,
                               const base::RequestLimits& limits) const {
  using Texts = std::vector<std::string>;
  const auto requests = base::read_requests<Texts>(
      exchanges, limits, [](RequestBody& body) { return body.texts("texts"); });
  Texts titles;
  for (const auto& [exchange, texts] : requests) {
    titles.insert(titles.end(), texts.begin(), texts.end());
  }
  if (titles.empty()) return;
  const auto vectors = recommender_.embed(titles);
  std::size_t row = 0;
  for (const auto& [exchange, texts] : requests) {
    exchange->inputs = std::ssize(texts);
    std::vector<std::string> results;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      results.push_back(base::json_list(vectors.row(row++)));
    }
    exchange->answer = base::json_results(results);
  }
}

void RecommenderService::answer(std::string_view operation, std::span<Exchange* const> exchanges,
                                const base::RequestLimits& limits) const {
  if (operation == "recommend") {
    recommend(exchanges, limits);
  } else {
    embed(exchanges, limits);
  }
}

}  // namespace fastformer::recommendation

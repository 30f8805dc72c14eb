#include "fastformer/serve/api.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "fastformer/base/ascii.h"
#include "fastformer/base/json_text.h"
#include "fastformer/base/printable.h"
#include "fastformer/serve/assets.h"

namespace fastformer::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kModels = "/v1/models";

Action reply(std::string operation, Reply answer) {
  return {.operation = std::move(operation), .next = std::move(answer)};
}

Action not_found(std::string_view target) {
  return reply("none", problem(404, "there is nothing at '" + base::excerpt(target) +
                                        "'; /openapi.json lists the paths"));
}

Action wrong_method(std::string operation, const std::string& allowed) {
  auto answer = problem(405, "this path supports only " + allowed);
  answer.headers.emplace_back("Allow", allowed);
  return reply(std::move(operation), std::move(answer));
}

bool is_get(std::string_view method) { return method == "GET" || method == "HEAD"; }

// "application/json; charset=utf-8" is application/json.
bool has_type(std::string_view header, std::string_view type) {
  return base::equal_ignoring_case(base::trimmed(header.substr(0, header.find(';'))), type);
}

Json description_of(const std::string& name, const base::ModelService& model) {
  Json json = {{"name", name}, {"kind", model.kind()}, {"operations", model.operations()}};
  json.update(Json::parse(model.description()));
  return json;
}

// The path of a target, which may be a whole URL, without a query and a slash at the end.
std::string_view path_of(std::string_view target) {
  constexpr std::string_view kScheme = "http://";
  if (target.starts_with(kScheme)) {
    const auto slash = target.find('/', kScheme.size());
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  target = target.substr(0, target.find('?'));
  if (target.size() > 1 && target.ends_with('/')) target.remove_suffix(1);
  return target;
}

// Whether a request needs no token.
bool is_open(const Request& request) {
  static constexpr auto kOpen = std::to_array<std::string_view>({"/healthz", "/readyz"});
  // A browser asks for permission without a token.
  return request.method == "OPTIONS" || std::ranges::find(kOpen, request.target) != kOpen.end() ||
         std::ranges::find(assets(), request.target, &Asset::path) != assets().end();
}

// A file of the page.
Reply page_file(const Asset& asset) {
  return {.content_type = std::string(asset.type),
          .body = std::string(asset.content),
          .headers = {{"Content-Security-Policy",
                       "default-src 'none'; script-src 'self'; style-src 'self'; connect-src "
                       "'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
                       "frame-ancestors 'none'"},
                      {"Referrer-Policy", "no-referrer"}}};
}

}  // namespace

Reply Api::finish(Job& job) {
  auto& exchange = job.exchange;
  if (job.turned_away) {
    auto reply = problem(429, "too many requests are waiting; try again in a second");
    reply.headers.emplace_back("Retry-After", "1");
    return reply;
  }
  if (!job.failure.empty()) {
    return problem(500, "the computation failed: " + base::excerpt(job.failure, 400));
  }
  if (!exchange.refusal.empty()) {
    return problem(exchange.too_large ? 413 : 400, base::excerpt(exchange.refusal, 400));
  }
  return {.body = std::move(exchange.answer)};
}

void Api::allow_origin(std::string_view origin, Reply& reply) const {
  if (origin.empty() || !rules_.is_allowed(origin)) return;
  reply.headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
  reply.headers.emplace_back("Vary", "Origin");
}

Action Api::begin(Request request) const {
  request.target = path_of(request.target);
  if (auto refused = rules_.problem_of(request.caller, is_open(request))) {
    return reply("refused", std::move(*refused));
  }
  if (request.method == "OPTIONS" && rules_.is_allowed(request.caller.origin)) {
    return reply("preflight",
                 {.status = 204,
                  .headers = {{"Access-Control-Allow-Methods", "GET, POST"},
                              {"Access-Control-Allow-Headers", "Authorization, Content-Type"},
                              {"Access-Control-Max-Age", "600"}}});
  }
  auto action = route(request);
  if (std::holds_alternative<std::shared_ptr<Job>>(action.next)) {
    if (!has_type(request.content_type, "application/json")) {
      return reply(std::move(action.operation),
                   problem(415, "the content type is '" + base::excerpt(request.content_type) +
                                    "'; expected application/json"));
    }
    if (!request.content_encoding.empty()) {
      return reply(
          std::move(action.operation),
          problem(415, "the body is encoded with '" + base::excerpt(request.content_encoding) +
                           "'; send it without Content-Encoding"));
    }
  }
  return action;
}

Reply Api::list_models() const {
  Json list = Json::array();
  for (const auto& name : models_.names()) {
    list.push_back(description_of(name, *models_.find(name)));
  }
  return {.body = base::json_text({{"models", std::move(list)}})};
}

Action Api::route(Request& request) const {
  const auto target = request.target;
  const bool get = is_get(request.method);
  const auto fixed = [&](const char* operation, auto&& make) {
    return get ? reply(operation, make()) : wrong_method(operation, "GET, HEAD");
  };
  for (const auto& asset : assets()) {
    if (target != asset.path) continue;
    return fixed(target == "/openapi.json" ? "openapi" : "page", [&] { return page_file(asset); });
  }
  if (target == "/healthz") {
    return fixed("healthz", [] { return Reply{.body = R"({"status":"ok"})"}; });
  }
  if (target == "/readyz") {
    return fixed("readyz", [&] {
      return draining_ ? problem(503, "the server is shutting down")
                       : Reply{.body = R"({"status":"ok"})"};
    });
  }
  if (target == "/metrics") {
    return fixed("metrics", [&] {
      return Reply{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                   .body = metrics_.text()};
    });
  }
  if (target == kModels) return fixed("models", [&] { return list_models(); });
  if (target.starts_with(kModels) && target.substr(kModels.size()).starts_with('/')) {
    return model_route(request, target.substr(kModels.size() + 1));
  }
  return not_found(target);
}

Action Api::model_route(Request& request, std::string_view rest) const {
  const auto slash = rest.find('/');
  const std::string name(rest.substr(0, slash));
  const auto model = models_.find(name);
  if (model == nullptr) {
    return reply("none", problem(404, "there is no model '" + base::excerpt(name) +
                                          "'; /v1/models lists the models"));
  }
  if (slash == std::string_view::npos) {
    if (!is_get(request.method)) return wrong_method("model", "GET, HEAD");
    return reply("model", {.body = base::json_text(description_of(name, *model))});
  }
  const std::string operation(rest.substr(slash + 1));
  if (request.method != "POST") return wrong_method("none", "POST");
  const auto known = model->operations();
  const bool reload = operation == "reload";
  if (!reload && std::ranges::find(known, operation) == known.end()) {
    std::string names;
    for (const auto& one : known) names += (names.empty() ? "" : ", ") + one;
    return reply("none", problem(404, "the model '" + name + "', a " + model->kind() +
                                          ", has no operation '" + base::excerpt(operation) +
                                          "'; it supports " + names + ", reload"));
  }
  if (reload) return {.operation = operation, .next = Action::Reload{name}};
  auto job = std::make_shared<Job>();
  job->model = model;
  job->model_name = name;
  job->operation = operation;
  const bool stream = model->streams(operation) &&
                      request.accept.find("text/event-stream") != std::string_view::npos;
  return {.operation = operation, .next = std::move(job), .stream = stream};
}

}  // namespace fastformer::serve

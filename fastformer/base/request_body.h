#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fastformer/base/model_service.h"

namespace fastformer::base {

/// A request that exceeds one of RequestLimits.
struct TooLarge : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// The JSON object of a request, read member by member. All functions throw std::invalid_argument
/// with one sentence that names the member.
///
///   RequestBody body(exchange.body, limits);
///   const auto texts = body.texts("texts");
///   const auto top = body.integer("top_k", 1, limits.top).value_or(10);
///   body.check_all_read();
class RequestBody {
 public:
  RequestBody(std::string_view json, const RequestLimits& limits);

  /// A list of at least one text.
  std::vector<std::string> texts(const std::string& name);
  /// A list of objects, at least one. Each is read by `read`, and must be read completely.
  void objects(const std::string& name, const std::function<void(RequestBody&)>& read);
  /// A list of ids, which may be empty; nullopt if the member is missing.
  std::optional<std::vector<std::string>> ids(const std::string& name);
  std::optional<std::int64_t> integer(const std::string& name, std::int64_t least,
                                      std::int64_t most);
  std::optional<bool> flag(const std::string& name);
  /// An object as JSON.
  std::optional<std::string> object(const std::string& name);

  /// Throws if the object has a member that was not read.
  void check_all_read() const;

 private:
  RequestBody(nlohmann::json object, std::string where, const RequestLimits& limits);
  nlohmann::json* find(const std::string& name);
  std::string place(const std::string& name) const { return where_ + name; }
  std::string own_place() const;
  nlohmann::json& list(const std::string& name, const char* of);
  nlohmann::json& inputs(const std::string& name, const char* of);
  std::vector<std::string> take_texts(const std::string& name, nlohmann::json& values) const;

  nlohmann::json object_;
  std::string where_;  // "users[3]."
  const RequestLimits& limits_;
  std::set<std::string> known_;
};

/// Reads each body with `read`, and fills `refusal` of the exchanges whose body it refuses. Returns
/// the others, with what `read` returned.
template <class Request>
std::vector<std::pair<Exchange*, Request>> read_requests(
    std::span<Exchange* const> exchanges, const RequestLimits& limits,
    const std::function<Request(RequestBody&)>& read) {
  std::vector<std::pair<Exchange*, Request>> requests;
  for (auto* exchange : exchanges) {
    try {
      RequestBody body(exchange->body, limits);
      auto request = read(body);
      body.check_all_read();
      requests.emplace_back(exchange, std::move(request));
    } catch (const TooLarge& error) {
      exchange->refusal = error.what();
      exchange->too_large = true;
    } catch (const std::invalid_argument& error) {
      exchange->refusal = error.what();
    }
  }
  return requests;
}

/// {"results": [...]} of results that are JSON.
std::string json_results(std::span<const std::string> results);

}  // namespace fastformer::base

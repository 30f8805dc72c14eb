#include "fastformer/serve/access_rules.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <fstream>
#include <stdexcept>

#include "fastformer/base/ascii.h"
#include "fastformer/base/printable.h"
#include "fastformer/serve/private_file.h"

namespace fastformer::serve {
namespace {

std::vector<std::string> read_tokens(const std::filesystem::path& file) {
  const auto name = base::excerpt(file.string(), 400);
  std::ifstream in(file);
  if (!in) {
    throw std::invalid_argument(name + ": the token file cannot be read; check the path");
  }
  check_private(file, "the tokens");
  std::vector<std::string> tokens;
  constexpr std::size_t kShortest = 16;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const auto token = base::trimmed(line);
    if (token.empty() || token.front() == '#') continue;
    if (token.size() < kShortest) {
      throw std::invalid_argument(name + ":" + std::to_string(number) + ": the token has " +
                                  std::to_string(token.size()) + " characters; expected at least " +
                                  std::to_string(kShortest));
    }
    tokens.emplace_back(token);
  }
  if (tokens.empty()) {
    throw std::invalid_argument(name + ": contains no token; write one per line");
  }
  return tokens;
}

// Takes the same time wherever the texts differ.
bool equal_in_constant_time(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char other = b.empty() ? '\0' : b[i % b.size()];
    difference |= static_cast<unsigned char>(a[i] ^ other);
  }
  return difference == 0;
}

// Without the port, and in small letters: "[::1]:8080" is "[::1]".
std::string host_name(std::string_view host) {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon)) {
    host = host.substr(0, colon);
  }
  return base::ascii_lowercase(host);
}

std::string_view without_scheme(std::string_view origin) {
  const auto end = origin.find("://");
  return end == std::string_view::npos ? origin : origin.substr(end + 3);
}

// No name server decides what an address is.
bool is_address(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  boost::asio::ip::make_address(std::string(host), error);
  return !error;
}

void check_origin(const std::string& origin) {
  const auto host = without_scheme(origin);
  const bool has_scheme = origin.starts_with("http://") || origin.starts_with("https://");
  if (!has_scheme || host.empty() || host.find('/') != std::string_view::npos) {
    throw std::invalid_argument("--allow-origin " + base::excerpt(origin) +
                                " is not an origin; expected one such as https://example.org, "
                                "without a path");
  }
}

void check_host_name(const std::string& name) {
  if (name.empty() || name.find_first_of("/:") != std::string::npos) {
    throw std::invalid_argument("--host-name " + base::excerpt(name) +
                                " is not a host name; expected one such as models.example.org");
  }
}

}  // namespace

AccessRules::AccessRules(const ServerOptions& options, bool loopback)
    : origins_(options.allowed_origins) {
  for (const auto& origin : origins_) check_origin(origin);
  for (const auto& name : options.host_names) check_host_name(name);
  if (!options.token_file.empty()) tokens_ = read_tokens(options.token_file);
  if (!loopback && options.host_names.empty()) return;
  hosts_ = {"localhost"};
  for (const auto& name : options.host_names) hosts_.push_back(host_name(name));
}

bool AccessRules::is_allowed(std::string_view origin) const {
  return std::ranges::find(origins_, origin) != origins_.end();
}

bool AccessRules::has_token(std::string_view authorization) const {
  constexpr std::string_view kScheme = "Bearer ";
  if (!base::equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return false;
  const auto given = authorization.substr(kScheme.size());
  bool found = false;
  for (const auto& token : tokens_) found |= equal_in_constant_time(given, token);
  return found;
}

std::optional<Reply> AccessRules::problem_of(const Caller& caller, bool open) const {
  const auto host = host_name(caller.host);
  if (host.empty()) return problem(400, "the request has no Host header, or several");
  if (!hosts_.empty() && !is_address(host) && std::ranges::find(hosts_, host) == hosts_.end()) {
    return problem(421, "this server does not answer to the name '" + base::excerpt(caller.host) +
                            "'; its operator can allow it with --host-name");
  }
  const bool same = without_scheme(caller.origin) == caller.host;
  if (!caller.origin.empty() && !same && !is_allowed(caller.origin)) {
    return problem(403,
                   "pages of the origin '" + base::excerpt(caller.origin) +
                       "' may not call this server; its operator can allow it with --allow-origin");
  }
  if (!open && !tokens_.empty() && !has_token(caller.authorization)) {
    auto reply = problem(401, "the request has no valid token; send 'Authorization: Bearer TOKEN'");
    reply.headers.emplace_back("WWW-Authenticate", "Bearer");
    return reply;
  }
  return std::nullopt;
}

}  // namespace fastformer::serve

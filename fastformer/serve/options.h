#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fastformer/base/model_service.h"

namespace fastformer::serve {

/// Settings of a server.
struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 8080;  ///< 0: any free port, which is printed
  /// Names by which clients may call a server on a loopback address, besides localhost and
  /// addresses; a page in a browser could otherwise reach it by a name of its own.
  std::vector<std::string> host_names;
  std::vector<std::string> allowed_origins;  ///< other origins whose pages may call the server
  std::filesystem::path token_file;          ///< a bearer token per line; empty: no tokens
  std::filesystem::path access_log;          ///< empty: none; "-": standard error

  int workers = 0;                          ///< threads that compute; 0: one per usable core
  std::size_t queue = 1024;                 ///< requests that may wait; more get status 429
  std::int64_t batch_tokens = 16'384;       ///< about so many tokens are computed together
  std::chrono::microseconds batch_wait{0};  ///< time that a batch waits for more requests

  base::RequestLimits request;
  std::uint64_t body_bytes = 8'000'000;  ///< of one request
  std::size_t connections = 1000;        ///< at the same time; more wait to be accepted
  std::chrono::seconds idle_time{60};    ///< between the requests of a connection
  std::chrono::seconds header_time{10};  ///< from the first byte of a request to its last header
  std::chrono::seconds body_time{30};    ///< for the body, and for a client to read an answer
  std::chrono::seconds drain_time{30};   ///< after SIGTERM, to answer what was accepted
};

}  // namespace fastformer::serve

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>

#include "fastformer/serve/access_log.h"
#include "fastformer/serve/api.h"
#include "fastformer/serve/dispatcher.h"
#include "fastformer/serve/options.h"

namespace fastformer::serve {

/// What the connections of a server share.
struct ServerParts {
  const ServerOptions& options;
  Api& api;
  Dispatcher& dispatcher;
  Metrics& metrics;
  AccessLog& log;
  /// Loads a model again on another thread; an answer for the client.
  std::function<boost::asio::awaitable<Reply>(std::string model)> reload;
};

/// One client, which sends one request after another. All on the thread of its executor.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, ServerParts& parts);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Answers requests until the client leaves, is too slow, or breaks HTTP.
  boost::asio::awaitable<void> run();
  /// Ends after the request that is being answered.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fastformer::serve

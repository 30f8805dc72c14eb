#include "fastformer/serve/server.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <list>
#include <stdexcept>
#include <utility>
#include <vector>

#include "fastformer/base/printable.h"
#include "fastformer/base/request_body.h"
#include "fastformer/serve/access_log.h"
#include "fastformer/serve/access_rules.h"
#include "fastformer/serve/api.h"
#include "fastformer/serve/connection.h"
#include "fastformer/serve/signal.h"

namespace fastformer::serve {
namespace {

namespace asio = boost::asio;

using asio::ip::tcp;
using boost::system::error_code;

tcp::endpoint endpoint_of(const ServerOptions& options) {
  error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) {
    throw std::invalid_argument("--address " + base::excerpt(options.address) +
                                " is not an IP address; expected one such as 127.0.0.1 or ::");
  }
  return {address, options.port};
}

tcp::acceptor listen(asio::io_context& context, const tcp::endpoint& endpoint) {
  tcp::acceptor acceptor(context);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    throw std::invalid_argument("cannot listen on " + endpoint.address().to_string() + " port " +
                                std::to_string(endpoint.port()) + " (" + error.message() +
                                "); choose another one with --address or --port");
  }
  return acceptor;
}

}  // namespace

struct Server::Impl {
  Impl(ModelTable& table, const ServerOptions& server_options, Log sink)
      : models(table),
        options(server_options),
        log(std::move(sink)),
        endpoint(endpoint_of(options)),
        rules(options, endpoint.address().is_loopback()),
        access_log(options.access_log),
        api(models, metrics, rules),
        acceptor(listen(context, endpoint)),
        signals(context, SIGTERM, SIGINT, SIGHUP) {
    parts.reload = [this](std::string model) { return reload_elsewhere(std::move(model)); };
  }

  asio::awaitable<Reply> reload_elsewhere(std::string model);
  Reply reload(const std::string& model);
  asio::awaitable<void> accept();
  asio::awaitable<void> serve(tcp::socket socket);
  asio::awaitable<void> obey_signals();
  void drain();

  ModelTable& models;
  const ServerOptions options;
  const Log log;
  const tcp::endpoint endpoint;
  Metrics metrics;
  const AccessRules rules;
  AccessLog access_log;
  Api api;
  // Connections use it until the context is gone, and reach the dispatcher only while it is there.
  ServerParts parts{options, api, dispatcher, metrics, access_log, {}};
  asio::io_context context{1};
  WorkQueue queue{options, metrics};
  Dispatcher dispatcher{context, queue};
  asio::thread_pool loader{1};
  tcp::acceptor acceptor;
  asio::signal_set signals;
  asio::steady_timer room{context, asio::steady_timer::time_point::max()};
  asio::steady_timer deadline{context};
  std::list<std::shared_ptr<Connection>> connections;
  bool draining = false;
};

Server::Server(ModelTable& models, const ServerOptions& options, Log log)
    : impl_(std::make_unique<Impl>(models, options, std::move(log))) {}

Server::~Server() = default;

std::string Server::url() const {
  const auto end = impl_->acceptor.local_endpoint();
  const auto address = end.address().to_string();
  return "http://" + (end.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(end.port());
}

Reply Server::Impl::reload(const std::string& model) {
  try {
    models.reload(model);
  } catch (const std::exception& error) {
    metrics.reloaded(model, false);
    const auto why = "the model '" + model + "' stays as it is; the new one was refused: " +
                     base::excerpt(error.what(), 400);
    log(why);
    return problem(409, why);
  }
  metrics.reloaded(model, true);
  log("loaded the model '" + model + "' again");
  return {.body = base::json_text({{"model", model}, {"status", "loaded"}})};
}

// Loading takes a while: it has a thread of its own.
asio::awaitable<Reply> Server::Impl::reload_elsewhere(std::string model) {
  const auto signal = std::make_shared<Signal>(context.get_executor());
  Reply reply;
  const auto work = [&, signal] {
    reply = reload(model);
    signal->notify();
  };
  asio::post(loader, work);
  co_await signal->wait();
  co_return reply;
}

asio::awaitable<void> Server::Impl::serve(tcp::socket socket) {
  connections.push_front(std::make_shared<Connection>(std::move(socket), parts));
  const auto place = connections.begin();
  try {
    co_await (*place)->run();
  } catch (const std::exception& error) {
    log(std::string("a connection failed: ") + base::excerpt(error.what(), 400));
  }
  connections.erase(place);
  room.cancel();
  if (draining && connections.empty()) context.stop();
}

asio::awaitable<void> Server::Impl::accept() {
  while (!draining) {
    error_code error;
    if (connections.size() >= options.connections) {
      co_await room.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    tcp::socket socket(context);
    co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (draining) break;
    if (error) {
      // Such as too many open files: others must close first.
      constexpr auto kPause = std::chrono::milliseconds(50);
      asio::steady_timer pause(context, kPause);
      co_await pause.async_wait(asio::use_awaitable);
      continue;
    }
    asio::co_spawn(context, serve(std::move(socket)), asio::detached);
  }
}

// Accepts no connection any more, and ends when those that are there have their answers.
void Server::Impl::drain() {
  if (draining) {
    context.stop();
    return;
  }
  log("shutting down; what was accepted is answered first");
  draining = true;
  api.drain();
  acceptor.close();
  room.cancel();
  for (const auto& connection : connections) connection->finish();
  if (connections.empty()) context.stop();
  deadline.expires_after(options.drain_time);
  deadline.async_wait([this](const error_code& error) {
    if (error) return;
    log("some requests were not answered in time");
    context.stop();
  });
}

asio::awaitable<void> Server::Impl::obey_signals() {
  while (true) {
    const int signal = co_await signals.async_wait(asio::use_awaitable);
    if (signal != SIGHUP) {
      drain();
      continue;
    }
    for (const auto& name : models.names()) {
      asio::post(loader, [this, name] { reload(name); });
    }
  }
}

void Server::run() {
  std::signal(SIGPIPE, SIG_IGN);
  auto& impl = *impl_;
  asio::co_spawn(impl.context, impl.obey_signals(), asio::detached);
  asio::co_spawn(impl.context, impl.accept(), asio::detached);
  impl.context.run();
}

}  // namespace fastformer::serve

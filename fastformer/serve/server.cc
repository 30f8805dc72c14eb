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
#include <cstdlib>
#include <exception>
#include <list>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "fastformer/base/json_text.h"
#include "fastformer/base/printable.h"
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
                                " is not an IP address; expected one such as 127.0.0.1 or ::1");
  }
  return {address, static_cast<std::uint16_t>(options.port)};
}

tcp::acceptor listen(asio::io_context& context, const tcp::endpoint& endpoint) try {
  tcp::acceptor acceptor(context, endpoint.protocol());
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  acceptor.bind(endpoint);
  acceptor.listen(asio::socket_base::max_listen_connections);
  return acceptor;
} catch (const boost::system::system_error& error) {
  throw std::invalid_argument("cannot listen on " + endpoint.address().to_string() + " port " +
                              std::to_string(endpoint.port()) + " (" + error.code().message() +
                              "); choose another one with --address or --port");
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
  std::set<std::string> loading;  // by request
  bool draining = false;
  bool abandoned = false;  // requests that were accepted
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
    log("cannot reload the model '" + model +
        "', so the loaded one stays: " + base::excerpt(error.what(), 400));
    return problem(409, "the model '" + model +
                            "' cannot be reloaded, so the loaded one stays; the log of the server "
                            "says why");
  }
  metrics.reloaded(model, true);
  log("reloaded the model '" + model + "'");
  return {.body = base::json_text({{"model", model}, {"status", "loaded"}})};
}

// Loading takes a while: it has a thread of its own.
asio::awaitable<Reply> Server::Impl::reload_elsewhere(std::string model) {
  if (!loading.insert(model).second) {
    co_return problem(409, "the model '" + model + "' is being reloaded already");
  }
  const auto signal = std::make_shared<Signal>(context.get_executor());
  Reply reply;
  const auto work = [&, signal] {
    reply = reload(model);
    signal->notify();
  };
  asio::post(loader, work);
  co_await signal->wait();
  loading.erase(model);
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
    abandoned = true;
    context.stop();
    return;
  }
  log("shutting down after answering the accepted requests");
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
    abandoned = true;
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
    try {
      access_log.reopen();
    } catch (const std::invalid_argument& error) {
      log(error.what());
    }
    for (const auto& name : models.names()) {
      asio::post(loader, [this, name] { reload(name); });
    }
  }
}

void Server::run() {
  std::signal(SIGPIPE, SIG_IGN);
  auto& impl = *impl_;
  if (!impl.endpoint.address().is_loopback() && impl.options.token_file.empty()) {
    impl.log("warning: everyone who reaches " + url() +
             " can use the models; --token-file limits this");
  }
  // Without them the server would be deaf.
  const auto needed = [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  };
  asio::co_spawn(impl.context, impl.obey_signals(), needed);
  asio::co_spawn(impl.context, impl.accept(), needed);
  impl.context.run();
  // Computations that nobody waits for any more cannot be interrupted.
  if (impl.abandoned) std::_Exit(EXIT_FAILURE);
}

}  // namespace fastformer::serve

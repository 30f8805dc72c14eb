#include "fastformer/serve/connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "fastformer/base/request_body.h"
#include "fastformer/serve/signal.h"

namespace fastformer::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

using boost::system::error_code;
using Message = http::request<http::string_body>;

constexpr std::uint32_t kHeaderBytes = 16 * 1024;
constexpr std::size_t kReadBytes = 64 * 1024;

auto with_error(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// The pieces of an answer between the worker that makes them and the coroutine that sends them.
class Pieces {
 public:
  explicit Pieces(std::shared_ptr<Signal> signal) : signal_(std::move(signal)) {}

  // On the worker's thread; false: the client has left.
  bool put(std::string_view piece) {
    {
      const std::scoped_lock lock(mutex_);
      if (left_) return false;
      waiting_.emplace_back(piece);
    }
    signal_->notify();
    return true;
  }
  std::deque<std::string> take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(waiting_, {});
  }
  void leave() {
    const std::scoped_lock lock(mutex_);
    left_ = true;
  }

 private:
  std::shared_ptr<Signal> signal_;
  std::mutex mutex_;
  std::deque<std::string> waiting_;
  bool left_ = false;
};

// A server-sent event; JSON has no line breaks.
std::string event_of(std::string_view name, std::string_view json) {
  std::string event;
  if (!name.empty()) event += "event: " + std::string(name) + "\n";
  return event + "data: " + std::string(json) + "\n\n";
}

// The answer to a request that breaks HTTP or a limit.
Reply problem_of(const error_code& error, const ServerOptions& options) {
  if (error == http::error::body_limit) {
    return problem(413, "the body is too large; the limit is " +
                            std::to_string(options.body_bytes) + " bytes");
  }
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return problem(
        431, "the headers are too large; the limit is " + std::to_string(kHeaderBytes) + " bytes");
  }
  return problem(400, "the request is not valid HTTP: " + error.message());
}

}  // namespace

struct Connection::Impl {
  Impl(asio::ip::tcp::socket socket, ServerParts& shared)
      : parts(shared), stream(std::move(socket)) {
    error_code error;
    const auto end = stream.socket().remote_endpoint(error);
    remote = error ? "" : end.address().to_string();
    stream.socket().set_option(asio::ip::tcp::no_delay(true), error);
  }

  // The next request; nullopt: there is none, or its answer is a problem that has been sent.
  asio::awaitable<std::optional<Message>> read();
  asio::awaitable<void> refuse(const error_code& error);
  // Each: whether the connection can go on.
  asio::awaitable<bool> answer(Message request);
  asio::awaitable<bool> send(const Message& request, const Reply& reply);
  asio::awaitable<bool> send_events(const Message& request, std::shared_ptr<Job> job,
                                    std::string_view origin);
  asio::awaitable<bool> write_chunk(std::string_view text);
  asio::awaitable<void> close();
  http::response<http::string_body> response_to(unsigned version, const Reply& reply) const;

  ServerParts& parts;
  beast::tcp_stream stream;
  beast::flat_buffer buffer;
  std::string remote;
  bool idle = true;        // between two requests
  bool finishing = false;  // after this request
};

Connection::Connection(asio::ip::tcp::socket socket, ServerParts& parts)
    : impl_(std::make_unique<Impl>(std::move(socket), parts)) {
  parts.metrics.connected(1);
}

Connection::~Connection() { impl_->parts.metrics.connected(-1); }

void Connection::finish() {
  impl_->finishing = true;
  if (impl_->idle) impl_->stream.cancel();
}

asio::awaitable<void> Connection::run() {
  const auto self = shared_from_this();
  auto& impl = *impl_;
  while (!impl.finishing) {
    auto request = co_await impl.read();
    if (!request || !co_await impl.answer(std::move(*request))) break;
  }
  co_await impl.close();
}

asio::awaitable<std::optional<Message>> Connection::Impl::read() {
  const auto& options = parts.options;
  error_code error;
  if (buffer.size() == 0) {
    idle = true;
    stream.expires_after(options.idle_time);
    const auto space = buffer.prepare(kReadBytes);
    const auto count = co_await stream.async_read_some(space, with_error(error));
    idle = false;
    if (error) co_return std::nullopt;
    buffer.commit(count);
  }
  http::request_parser<http::string_body> parser;
  parser.header_limit(kHeaderBytes);
  parser.body_limit(options.body_bytes);
  stream.expires_after(options.header_time);
  co_await http::async_read_header(stream, buffer, parser, with_error(error));
  if (!error && !parser.is_done()) {
    stream.expires_after(options.body_time);
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(stream, asio::buffer(kContinue), with_error(error));
    }
    if (!error) co_await http::async_read(stream, buffer, parser, with_error(error));
  }
  if (error) {
    co_await refuse(error);
    co_return std::nullopt;
  }
  co_return parser.release();
}

asio::awaitable<void> Connection::Impl::refuse(const error_code& error) {
  const bool of_http = error.category() == make_error_code(http::error::body_limit).category();
  if (!of_http || error == http::error::end_of_stream || error == http::error::partial_message) {
    co_return;  // the client has left, or was too slow
  }
  const auto reply = problem_of(error, parts.options);
  parts.metrics.answered("none", reply.status, {});
  parts.log.write({.remote = remote, .status = reply.status, .bytes_out = reply.body.size()});
  auto response = response_to(11, reply);
  response.keep_alive(false);
  stream.expires_after(parts.options.body_time);
  error_code ignored;
  co_await http::async_write(stream, response, with_error(ignored));
}

// Reads what the client still sends for a moment; otherwise it might lose the answer.
asio::awaitable<void> Connection::Impl::close() {
  constexpr auto kLinger = std::chrono::seconds(2);
  constexpr std::size_t kMostBytes = 256U << 20U;
  error_code error;
  stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
  stream.expires_after(kLinger);
  buffer.clear();
  for (std::size_t total = 0; !error && total < kMostBytes;) {
    total += co_await stream.async_read_some(buffer.prepare(kReadBytes), with_error(error));
  }
}

http::response<http::string_body> Connection::Impl::response_to(unsigned version,
                                                                const Reply& reply) const {
  http::response<http::string_body> response(http::int_to_status(reply.status), version);
  response.set(http::field::server, "fastformer");
  response.set(http::field::content_type, reply.content_type);
  response.set("X-Content-Type-Options", "nosniff");
  response.set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : reply.headers) response.set(name, value);
  response.body() = reply.body;
  response.prepare_payload();
  return response;
}

asio::awaitable<bool> Connection::Impl::send(const Message& request, const Reply& reply) {
  auto response = response_to(request.version(), reply);
  response.keep_alive(request.keep_alive() && !finishing);
  // The answer to HEAD has the length of the body, but no body.
  if (request.method() == http::verb::head) response.body().clear();
  stream.expires_after(parts.options.body_time);
  error_code error;
  co_await http::async_write(stream, response, with_error(error));
  co_return !error && response.keep_alive();
}

asio::awaitable<bool> Connection::Impl::write_chunk(std::string_view text) {
  stream.expires_after(parts.options.body_time);
  error_code error;
  co_await asio::async_write(stream, http::make_chunk(asio::buffer(text)), with_error(error));
  co_return !error;
}

asio::awaitable<bool> Connection::Impl::send_events(const Message& request,
                                                    std::shared_ptr<Job> job,
                                                    std::string_view origin) {
  const auto signal = std::make_shared<Signal>(stream.get_executor());
  const auto pieces = std::make_shared<Pieces>(signal);
  bool done = false;
  const auto set_done = [&done, signal] {
    asio::post(signal->executor(), [&done, signal] {
      done = true;
      signal->notify();
    });
  };
  job->exchange.stream = [pieces](std::string_view piece) { return pieces->put(piece); };
  job->done = set_done;
  parts.dispatcher.add(job);
  Reply reply{.content_type = "text/event-stream"};
  parts.api.allow_origin(origin, reply);
  bool open = true, begun = false;
  while (true) {
    co_await signal->wait();
    for (const auto& piece : pieces->take()) {
      if (!open) break;
      if (!begun) {
        auto response = response_to(request.version(), reply);
        response.chunked(true);
        response.keep_alive(request.keep_alive() && !finishing);
        begun = true;
        http::response_serializer<http::string_body> serializer(response);
        stream.expires_after(parts.options.body_time);
        error_code error;
        co_await http::async_write_header(stream, serializer, with_error(error));
        open = !error;
      }
      const auto json = base::json_text({{"text", piece}});
      open = open && co_await write_chunk(event_of("", json));
    }
    if (!open) pieces->leave();
    if (done) break;
  }
  const auto last = Api::finish(*job);
  if (!begun) co_return co_await send(request, last);
  open = open && co_await write_chunk(event_of(last.status == 200 ? "done" : "error", last.body));
  if (open) {
    error_code error;
    co_await asio::async_write(stream, http::make_chunk_last(), with_error(error));
    open = !error;
  }
  co_return open&& request.keep_alive() && !finishing;
}

asio::awaitable<bool> Connection::Impl::answer(Message request) {
  const auto begun = std::chrono::steady_clock::now();
  const auto method = std::string(view(request.method_string()));
  const auto origin = std::string(view(request[http::field::origin]));
  const auto bytes_in = request.body().size();
  const auto target = std::string(view(request.target()));
  auto action =
      parts.api.begin({.method = method,
                       .target = target,
                       .content_type = view(request[http::field::content_type]),
                       .accept = view(request[http::field::accept]),
                       .caller = {.host = view(request[http::field::host]),
                                  .origin = origin,
                                  .authorization = view(request[http::field::authorization])},
                       .body = std::move(request.body())});
  Reply reply;
  LogEntry entry{.remote = remote,
                 .method = method,
                 .path = std::string_view(target).substr(0, target.find('?')),
                 .bytes_in = bytes_in};
  bool go_on = false;
  if (auto* job = std::get_if<std::shared_ptr<Job>>(&action.next); job != nullptr) {
    if (action.stream) {
      go_on = co_await send_events(request, *job, origin);
      reply = Api::finish(**job);
    } else {
      const auto signal = std::make_shared<Signal>(stream.get_executor());
      (*job)->done = [signal] { signal->notify(); };
      parts.dispatcher.add(*job);
      co_await signal->wait();
      reply = Api::finish(**job);
    }
    entry.inputs = (*job)->exchange.inputs;
  } else if (auto* reload = std::get_if<Action::Reload>(&action.next); reload != nullptr) {
    reply = co_await parts.reload(reload->model);
  } else {
    reply = std::move(std::get<Reply>(action.next));
  }
  if (!action.stream) {
    parts.api.allow_origin(origin, reply);
    go_on = co_await send(request, reply);
  }
  entry.status = reply.status;
  entry.bytes_out = reply.body.size();
  entry.time = std::chrono::steady_clock::now() - begun;
  parts.metrics.answered(action.operation, reply.status, entry.time);
  parts.log.write(entry);
  co_return go_on;
}

}  // namespace fastformer::serve

#include "fastformer/serve/connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "fastformer/base/json_text.h"
#include "fastformer/serve/signal.h"

namespace fastformer::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

using boost::system::error_code;
using Message = http::request<http::string_body>;
using Parser = http::request_parser<http::string_body>;

constexpr unsigned kHttp11 = 11;
constexpr std::uint32_t kHeaderBytes = 16 * 1024;
constexpr std::size_t kReadBytes = std::size_t{64} * 1024;

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
  // On the worker's thread: there are no more.
  void end() {
    {
      const std::scoped_lock lock(mutex_);
      ended_ = true;
    }
    signal_->notify();
  }
  // What has been put since the last call, and whether it is the last.
  std::pair<std::deque<std::string>, bool> take() {
    const std::scoped_lock lock(mutex_);
    return {std::exchange(waiting_, {}), ended_};
  }
  void leave() {
    const std::scoped_lock lock(mutex_);
    left_ = true;
  }

 private:
  std::shared_ptr<Signal> signal_;
  std::mutex mutex_;
  std::deque<std::string> waiting_;
  bool ended_ = false, left_ = false;
};

// A server-sent event; JSON has no line breaks.
std::string event_of(std::string_view name, std::string_view json) {
  std::string event;
  if (!name.empty()) event += "event: " + std::string(name) + "\n";
  return event + "data: " + std::string(json) + "\n\n";
}

// What is said to whom.
struct Exchanged {
  std::string origin;
  Reply reply = {};
};

// The answer to a request that breaks HTTP or a limit.
Reply problem_of(const error_code& error, const ServerOptions& options) {
  if (error == http::error::body_limit) {
    return problem(413, "the body is too large; the limit is " +
                            std::to_string(options.body_bytes) + " bytes");
  }
  if (error == http::error::header_limit) {
    return problem(
        431, "the headers are too large; the limit is " + std::to_string(kHeaderBytes) + " bytes");
  }
  return problem(400, "the request is not valid HTTP (" + error.message() + ")");
}

}  // namespace

struct Connection::Impl {
  Impl(asio::ip::tcp::socket socket, ServerParts& shared)
      : parts(shared), stream(std::move(socket)) {
    error_code error;
    const auto end = stream.socket().remote_endpoint(error);
    remote = error ? "" : end.address().to_string();
    std::ignore = stream.socket().set_option(asio::ip::tcp::no_delay(true), error);
  }

  // Each: whether the connection can continue.
  asio::awaitable<bool> read_first_bytes();
  asio::awaitable<bool> read_header(Parser& parser);
  asio::awaitable<bool> read_body(Parser& parser);
  asio::awaitable<bool> refuse(const error_code& error);
  asio::awaitable<bool> answer(Parser& parser);
  asio::awaitable<bool> send(const Message& request, Reply reply, bool whole);
  asio::awaitable<bool> send_events(const Message& request, std::shared_ptr<Job> job,
                                    Exchanged& exchanged);
  asio::awaitable<bool> write_event(std::string_view text, bool chunked);
  asio::awaitable<bool> begin_events(const Message& request, std::string_view origin, bool chunked);
  asio::awaitable<void> close();
  http::response<http::string_body> response_to(unsigned version, Reply reply) const;

  ServerParts& parts;
  beast::tcp_stream stream;
  beast::flat_buffer buffer{kReadBytes + kHeaderBytes};
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
    Parser parser;
    parser.header_limit(kHeaderBytes);
    parser.body_limit(impl.parts.options.body_bytes);
    bool continues = co_await impl.read_first_bytes();
    if (continues) continues = co_await impl.read_header(parser);
    if (continues) continues = co_await impl.answer(parser);
    if (!continues) break;
  }
  co_await impl.close();
}

// Waits for a request. GCC 12 evaluates both sides of `a || co_await b`, so there are none here.
asio::awaitable<bool> Connection::Impl::read_first_bytes() {
  if (buffer.size() > 0) co_return true;
  error_code error;
  idle = true;
  stream.expires_after(parts.options.idle_time);
  const auto count = co_await stream.async_read_some(buffer.prepare(kReadBytes), with_error(error));
  idle = false;
  buffer.commit(count);
  co_return !error;
}

asio::awaitable<bool> Connection::Impl::read_header(Parser& parser) {
  error_code error;
  stream.expires_after(parts.options.header_time);
  co_await http::async_read_header(stream, buffer, parser, with_error(error));
  if (error) co_return co_await refuse(error);
  co_return true;
}

asio::awaitable<bool> Connection::Impl::read_body(Parser& parser) {
  error_code error;
  stream.expires_after(parts.options.body_time);
  if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(stream, asio::buffer(kContinue), with_error(error));
  }
  if (!error) co_await http::async_read(stream, buffer, parser, with_error(error));
  if (error) co_return co_await refuse(error);
  co_return true;
}

// Answers a request that breaks HTTP or a limit.
asio::awaitable<bool> Connection::Impl::refuse(const error_code& error) {
  const bool of_http = error.category() == make_error_code(http::error::body_limit).category();
  if (!of_http || error == http::error::end_of_stream || error == http::error::partial_message) {
    co_return false;  // the client has left, or was too slow
  }
  auto reply = problem_of(error, parts.options);
  parts.metrics.answered("none", reply.status, {});
  parts.log.write({.remote = remote, .status = reply.status, .bytes_out = reply.body.size()});
  auto response = response_to(kHttp11, std::move(reply));
  response.keep_alive(false);
  stream.expires_after(parts.options.body_time);
  error_code ignored;
  co_await http::async_write(stream, response, with_error(ignored));
  co_return false;
}

// Reads what the client still sends for a moment; otherwise it might lose the answer.
asio::awaitable<void> Connection::Impl::close() {
  constexpr auto kLinger = std::chrono::seconds(2);
  constexpr std::size_t kMostBytes = 256U << 20U;
  error_code error;
  std::ignore = stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
  stream.expires_after(kLinger);
  buffer.clear();
  for (std::size_t total = 0; !error && total < kMostBytes;) {
    total += co_await stream.async_read_some(buffer.prepare(kReadBytes), with_error(error));
  }
}

http::response<http::string_body> Connection::Impl::response_to(unsigned version,
                                                                Reply reply) const {
  http::response<http::string_body> response(http::int_to_status(reply.status), version);
  response.set(http::field::server, "fastformer");
  response.set("X-Content-Type-Options", "nosniff");
  response.set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : reply.headers) response.set(name, value);
  if (response.result() == http::status::no_content) return response;
  response.set(http::field::content_type, reply.content_type);
  response.body() = std::move(reply.body);
  response.prepare_payload();
  return response;
}

// `whole`: the body of the request has been read, so that another one can follow.
asio::awaitable<bool> Connection::Impl::send(const Message& request, Reply reply, bool whole) {
  auto response = response_to(request.version(), std::move(reply));
  response.keep_alive(request.keep_alive() && whole && !finishing);
  // The answer to HEAD has the length of the body, but no body.
  if (request.method() == http::verb::head) response.body().clear();
  stream.expires_after(parts.options.body_time);
  error_code error;
  co_await http::async_write(stream, response, with_error(error));
  co_return !error && response.keep_alive();
}

asio::awaitable<bool> Connection::Impl::begin_events(const Message& request,
                                                     std::string_view origin, bool chunked) {
  Reply reply{.content_type = "text/event-stream"};
  parts.api.allow_origin(origin, reply);
  auto response = response_to(request.version(), std::move(reply));
  if (chunked) {
    response.chunked(true);
  } else {
    response.erase(http::field::content_length);
  }
  response.keep_alive(chunked && request.keep_alive() && !finishing);
  http::response_serializer<http::string_body> serializer(response);
  stream.expires_after(parts.options.body_time);
  error_code error;
  co_await http::async_write_header(stream, serializer, with_error(error));
  co_return !error;
}

asio::awaitable<bool> Connection::Impl::write_event(std::string_view text, bool chunked) {
  stream.expires_after(parts.options.body_time);
  error_code error;
  if (chunked) {
    co_await asio::async_write(stream, http::make_chunk(asio::buffer(text)), with_error(error));
  } else {
    co_await asio::async_write(stream, asio::buffer(text), with_error(error));
  }
  co_return !error;
}

asio::awaitable<bool> Connection::Impl::send_events(const Message& request,
                                                    std::shared_ptr<Job> job,
                                                    Exchanged& exchanged) {
  const auto signal = std::make_shared<Signal>(stream.get_executor());
  const auto pieces = std::make_shared<Pieces>(signal);
  // Tells the worker, however this ends.
  const std::shared_ptr<void> leaving(nullptr, [pieces](void*) { pieces->leave(); });
  job->exchange.stream = [pieces](std::string_view piece) { return pieces->put(piece); };
  job->done = [pieces] { pieces->end(); };
  parts.dispatcher.add(job);
  // Before HTTP/1.1 the end of the connection is the end of the events.
  const bool chunked = request.version() >= kHttp11;
  bool open = true, begun = false;
  for (bool ended = false; !ended;) {
    co_await signal->wait();
    std::deque<std::string> texts;
    std::tie(texts, ended) = pieces->take();
    for (const auto& piece : texts) {
      if (open && !begun) open = co_await begin_events(request, exchanged.origin, chunked);
      begun = true;
      const auto json = base::json_text({{"text", piece}});
      if (open) open = co_await write_event(event_of("", json), chunked);
    }
    if (!open) pieces->leave();
  }
  exchanged.reply = Api::finish(*job);
  if (!begun) {
    parts.api.allow_origin(exchanged.origin, exchanged.reply);
    co_return co_await send(request, exchanged.reply, /*whole=*/true);
  }
  const auto* name = exchanged.reply.status == 200 ? "done" : "error";
  if (open) open = co_await write_event(event_of(name, exchanged.reply.body), chunked);
  if (open && chunked) {
    error_code error;
    co_await asio::async_write(stream, http::make_chunk_last(), with_error(error));
    open = !error;
  }
  const bool lasts = chunked && request.keep_alive() && !finishing;
  co_return open&& lasts;
}

asio::awaitable<bool> Connection::Impl::answer(Parser& parser) {
  const auto begun = std::chrono::steady_clock::now();
  const auto& head = parser.get();
  const auto method = std::string(view(head.method_string()));
  const auto target = std::string(view(head.target()));
  Exchanged exchanged{.origin = std::string(view(head[http::field::origin]))};
  const bool one_host = head.count(http::field::host) == 1;
  // Who calls what is judged before the body is read.
  auto action = parts.api.begin(
      {.method = method,
       .target = target,
       .content_type = view(head[http::field::content_type]),
       .content_encoding = view(head[http::field::content_encoding]),
       .accept = view(head[http::field::accept]),
       .caller = {.host = one_host ? view(head[http::field::host]) : std::string_view(),
                  .origin = exchanged.origin,
                  .authorization = view(head[http::field::authorization])}});
  LogEntry entry{.remote = remote,
                 .method = method,
                 .path = std::string_view(target).substr(0, target.find('?'))};
  auto* reply = std::get_if<Reply>(&action.next);
  const bool refused = reply != nullptr && reply->status >= 400;
  bool whole = parser.is_done();
  if (!whole && !refused) {
    whole = co_await read_body(parser);
    if (!whole) co_return false;
  }
  auto request = parser.release();
  entry.bytes_in = request.body().size();
  bool continues = false;
  if (auto* job = std::get_if<std::shared_ptr<Job>>(&action.next); job != nullptr) {
    (*job)->exchange.body = std::move(request.body());
    if (action.stream) {
      continues = co_await send_events(request, *job, exchanged);
    } else {
      const auto signal = std::make_shared<Signal>(stream.get_executor());
      (*job)->done = [signal] { signal->notify(); };
      parts.dispatcher.add(*job);
      co_await signal->wait();
      exchanged.reply = Api::finish(**job);
    }
    entry.inputs = (*job)->exchange.inputs;
  } else if (auto* reload = std::get_if<Action::Reload>(&action.next); reload != nullptr) {
    exchanged.reply = co_await parts.reload(reload->model);
  } else {
    exchanged.reply = std::move(*reply);
  }
  entry.status = exchanged.reply.status;
  entry.bytes_out = exchanged.reply.body.size();
  entry.time = std::chrono::steady_clock::now() - begun;
  if (!action.stream) {
    parts.api.allow_origin(exchanged.origin, exchanged.reply);
    continues = co_await send(request, std::move(exchanged.reply), whole);
  }
  parts.metrics.answered(action.operation, entry.status, entry.time);
  parts.log.write(entry);
  co_return continues;
}

}  // namespace fastformer::serve

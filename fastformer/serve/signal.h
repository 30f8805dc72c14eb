#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

namespace fastformer::serve {

/// Wakes a coroutine from another thread.
class Signal : public std::enable_shared_from_this<Signal> {
 public:
  explicit Signal(const boost::asio::any_io_executor& executor)
      : timer_(executor, boost::asio::steady_timer::time_point::max()) {}

  boost::asio::any_io_executor executor() { return timer_.get_executor(); }

  /// Returns once notify() has been called since the last wait().
  boost::asio::awaitable<void> wait() {
    while (!notified_) {
      boost::system::error_code cancelled;
      co_await timer_.async_wait(
          boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
    }
    notified_ = false;
  }
  /// May be called on any thread.
  void notify() {
    boost::asio::post(timer_.get_executor(), [self = shared_from_this()] {
      self->notified_ = true;
      self->timer_.cancel();
    });
  }

 private:
  boost::asio::steady_timer timer_;
  bool notified_ = false;  // on the executor's thread
};

}  // namespace fastformer::serve

#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

#include "fastformer/serve/work_queue.h"

namespace fastformer::serve {

/// Passes requests from the connections to the workers, on the thread of the connections. What
/// arrives at the same moment is passed on together, so that it shares a batch; a single short
/// request that finds the server idle is answered at once, without waking another thread.
class Dispatcher {
 public:
  Dispatcher(boost::asio::io_context& context, WorkQueue& queue)
      : context_(context), queue_(queue) {}

  /// Calls Job::done when the job has an answer, or no place in the queue (Job::turned_away).
  void add(std::shared_ptr<Job> job);

 private:
  void pass_on();

  boost::asio::io_context& context_;
  WorkQueue& queue_;
  std::vector<std::shared_ptr<Job>> arrived_;
};

}  // namespace fastformer::serve

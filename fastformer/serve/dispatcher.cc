#include "fastformer/serve/dispatcher.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace fastformer::serve {

void Dispatcher::add(std::shared_ptr<Job> job) {
  arrived_.push_back(std::move(job));
  // Runs after all that is ready to be read has been read.
  if (arrived_.size() == 1) {
    boost::asio::post(context_, [this] { pass_on(); });
  }
}

void Dispatcher::pass_on() {
  auto jobs = std::exchange(arrived_, {});
  if (jobs.size() == 1 && queue_.answer_at_once(jobs[0])) return;
  for (auto& job : queue_.submit(std::move(jobs))) {
    job->turned_away = true;
    job->done();
  }
}

}  // namespace fastformer::serve

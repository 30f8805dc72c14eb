#include "fastformer/serve/work_queue.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "serve/served_model.h"

namespace fastformer::serve {
namespace {

using std::chrono::milliseconds;

struct Pending {
  std::shared_ptr<Job> job = std::make_shared<Job>();
  std::promise<void> done;
};

// Submits a request; its `done` is kept when the worker has answered.
std::unique_ptr<Pending> submit(WorkQueue& queue, const Model& model, const std::string& body,
                                bool accepted = true) {
  auto pending = std::make_unique<Pending>();
  pending->job->model = model;
  pending->job->operation = "echo";
  pending->job->exchange.body = body;
  pending->job->done = [raw = pending.get()] { raw->done.set_value(); };
  EXPECT_EQ(queue.submit({pending->job}).empty(), accepted);
  return pending;
}

TEST(WorkQueue, JoinsWhatWaitsForABusyWorker) {
  const auto model = std::make_shared<EchoService>(milliseconds(50));
  Metrics metrics;
  WorkQueue queue({.workers = 1}, metrics);
  std::vector<std::unique_ptr<Pending>> requests;
  for (int i = 0; i < 20; ++i) requests.push_back(submit(queue, model, std::to_string(i)));
  for (int i = 0; i < 20; ++i) {
    requests[i]->done.get_future().wait();
    EXPECT_EQ(requests[i]->job->exchange.answer, "[" + std::to_string(i) + "]");
  }
  const auto batches = model->batches();
  EXPECT_LE(batches.size(), 3U);
  EXPECT_EQ(std::accumulate(batches.begin(), batches.end(), std::size_t{0}), 20U);
}

TEST(WorkQueue, TheBatchEndsAtItsTokens) {
  const auto model = std::make_shared<EchoService>(milliseconds(30));
  Metrics metrics;
  WorkQueue queue({.workers = 1, .batch_tokens = 10}, metrics);
  std::vector<std::unique_ptr<Pending>> requests;
  for (int i = 0; i < 9; ++i) requests.push_back(submit(queue, model, std::string(20, 'x')));
  for (auto& request : requests) request->done.get_future().wait();
  for (const auto size : model->batches()) EXPECT_LE(size, 2U);
}

TEST(WorkQueue, JoinsOnlyRequestsForOneModel) {
  const auto one = std::make_shared<EchoService>(milliseconds(30));
  const auto other = std::make_shared<EchoService>(milliseconds(30));
  Metrics metrics;
  WorkQueue queue({.workers = 1}, metrics);
  std::vector<std::unique_ptr<Pending>> requests;
  for (int i = 0; i < 6; ++i) requests.push_back(submit(queue, i % 2 == 0 ? one : other, "x"));
  for (auto& request : requests) request->done.get_future().wait();
  const auto count = [](const auto& batches) {
    return std::accumulate(batches.begin(), batches.end(), std::size_t{0});
  };
  EXPECT_EQ(count(one->batches()), 3U);
  EXPECT_EQ(count(other->batches()), 3U);
}

TEST(WorkQueue, OneRequestDoesNotFailTheOthers) {
  const auto model = std::make_shared<EchoService>(milliseconds(20));
  Metrics metrics;
  WorkQueue queue({.workers = 1}, metrics);
  std::vector<std::unique_ptr<Pending>> requests;
  for (const auto* body : {"a", "b", "fail", "c"}) requests.push_back(submit(queue, model, body));
  for (auto& request : requests) {
    request->done.get_future().wait();
    const auto& job = *request->job;
    EXPECT_EQ(job.failure, job.exchange.body == "fail" ? "it failed" : "");
    if (job.failure.empty()) {
      EXPECT_EQ(job.exchange.answer, "[" + job.exchange.body + "]");
    }
  }
}

TEST(WorkQueue, RefusesMoreThanItsPlaces) {
  const auto model = std::make_shared<EchoService>(milliseconds(200));
  Metrics metrics;
  std::vector<std::unique_ptr<Pending>> requests;
  {
    WorkQueue queue({.workers = 1, .queue = 2}, metrics);
    requests.push_back(submit(queue, model, "begun"));
    while (model->batches().empty()) std::this_thread::yield();
    requests.push_back(submit(queue, model, "waits"));
    requests.push_back(submit(queue, model, "waits too"));
    submit(queue, model, "one too many", /*accepted=*/false);
  }
  // Its end answers what it accepted.
  for (auto& request : requests) {
    EXPECT_EQ(request->done.get_future().wait_for(milliseconds(0)), std::future_status::ready);
  }
}

TEST(WorkQueue, AnswersAtOnceOnlyWhatIsShortAndAlone) {
  const auto model = std::make_shared<EchoService>();
  Metrics metrics;
  WorkQueue queue({.workers = 1}, metrics);
  std::thread::id thread;
  const auto at_once = [&](const Model& of, const std::string& name, const std::string& body) {
    const auto job = std::make_shared<Job>();
    job->model = of;
    job->model_name = name;
    job->operation = "echo";
    job->exchange.body = body;
    job->done = [&] { thread = std::this_thread::get_id(); };
    return queue.answer_at_once(job);
  };
  EXPECT_FALSE(at_once(model, "", "x"));  // nothing is known of its time
  // Another program may take the processor, and a measured time falls slowly.
  for (int i = 0; i < 10'000 && !at_once(model, "", "x"); ++i) {
    submit(queue, model, "x")->done.get_future().wait();
  }
  EXPECT_EQ(thread, std::this_thread::get_id());
  EXPECT_FALSE(at_once(model, "", std::string(100'000'000, 'x')));
  const auto slow = std::make_shared<EchoService>(milliseconds(100));
  EXPECT_FALSE(at_once(slow, "slow", "x"));  // another operation
  const auto pending = submit(queue, slow, "x");
  while (slow->batches().empty()) std::this_thread::yield();
  EXPECT_FALSE(at_once(model, "", "x"));  // the worker is busy
  pending->done.get_future().wait();
}

TEST(WorkQueue, WaitsForMoreRequestsIfTold) {
  for (const int workers : {1, 2}) {
    const auto model = std::make_shared<EchoService>();
    Metrics metrics;
    WorkQueue queue({.workers = workers, .batch_wait = milliseconds(300)}, metrics);
    std::vector<std::unique_ptr<Pending>> requests;
    for (int i = 0; i < 5; ++i) requests.push_back(submit(queue, model, "x"));
    for (auto& request : requests) request->done.get_future().wait();
    EXPECT_LE(model->batches().size(), static_cast<std::size_t>(workers));
  }
}

}  // namespace
}  // namespace fastformer::serve

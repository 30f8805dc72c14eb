#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fastformer/base/model_service.h"

namespace fastformer::serve {

/// Answers each request with its body in brackets, after `delay`, and records the sizes of its
/// batches. A request whose body is "fail" fails the computation.
class EchoService final : public base::ModelService {
 public:
  explicit EchoService(std::chrono::milliseconds delay = {}) : delay_(delay) {}

  std::string kind() const override { return "echo"; }
  std::vector<std::string> operations() const override { return {"echo", "other"}; }
  std::string description() const override { return R"({"loud":false})"; }
  bool streams(std::string_view operation) const override { return operation == "other"; }
  bool joins(std::string_view) const override { return true; }
  void answer(std::string_view, std::span<base::Exchange* const> exchanges,
              const base::RequestLimits&) const override {
    {
      const std::scoped_lock lock(mutex_);
      batches_.push_back(exchanges.size());
    }
    std::this_thread::sleep_for(delay_);
    for (auto* exchange : exchanges) {
      if (exchange->body == "fail") throw std::runtime_error("it failed");
      exchange->answer = "[" + exchange->body + "]";
    }
  }
  std::vector<std::size_t> batches() const {
    const std::scoped_lock lock(mutex_);
    return batches_;
  }

 private:
  std::chrono::milliseconds delay_;
  mutable std::mutex mutex_;
  mutable std::vector<std::size_t> batches_;
};

}  // namespace fastformer::serve

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace fastformer::serve {

/// What a server counts and measures, for Prometheus. Safe to use from several threads.
class Metrics {
 public:
  using Duration = std::chrono::steady_clock::duration;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// A request for `operation` ("classify", "models", ...) got an answer with this status.
  void answered(const std::string& operation, unsigned status, Duration time);
  void queued(std::size_t requests);                   ///< so many requests wait now
  void waited(Duration time);                          ///< a request waited for a worker
  void computed(std::size_t requests, Duration time);  ///< a batch of requests
  /// Texts or users, and tokens, that a model has read.
  void read(const std::string& model, const std::string& operation, std::int64_t inputs,
            std::int64_t tokens);
  void connected(std::int64_t change);  ///< +1 or -1
  void reloaded(const std::string& model, bool succeeded);

  /// In Prometheus' text format.
  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fastformer::serve

#include "fastformer/serve/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace fastformer::serve {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

double seconds(Metrics::Duration time) { return std::chrono::duration<double>(time).count(); }

const Histogram::BucketBoundaries kSeconds = {1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025,
                                              0.05, 0.1,    0.25, 0.5,  1,      2.5,  5,    10};
const Histogram::BucketBoundaries kRequests = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  Family<Counter>& answers = prometheus::BuildCounter()
                                 .Name("fastformer_requests_total")
                                 .Help("Requests by operation and HTTP status")
                                 .Register(registry);
  Family<Histogram>& times = prometheus::BuildHistogram()
                                 .Name("fastformer_request_seconds")
                                 .Help("Time from a complete request to its answer, by operation")
                                 .Register(registry);
  Family<Counter>& inputs = prometheus::BuildCounter()
                                .Name("fastformer_inputs_total")
                                .Help("Texts and users by model and operation")
                                .Register(registry);
  Family<Counter>& tokens = prometheus::BuildCounter()
                                .Name("fastformer_tokens_total")
                                .Help("Tokens by model and operation, where they are counted")
                                .Register(registry);
  Family<Counter>& reloads = prometheus::BuildCounter()
                                 .Name("fastformer_reloads_total")
                                 .Help("Reloads by model and result")
                                 .Register(registry);
  Gauge& queue = prometheus::BuildGauge()
                     .Name("fastformer_queue_requests")
                     .Help("Requests that wait for a worker")
                     .Register(registry)
                     .Add({});
  Gauge& connections = prometheus::BuildGauge()
                           .Name("fastformer_connections")
                           .Help("Open connections")
                           .Register(registry)
                           .Add({});
  Histogram& waits = prometheus::BuildHistogram()
                         .Name("fastformer_queue_seconds")
                         .Help("Time that requests waited for a worker")
                         .Register(registry)
                         .Add({}, kSeconds);
  Histogram& batches = prometheus::BuildHistogram()
                           .Name("fastformer_batch_requests")
                           .Help("Requests that were computed together")
                           .Register(registry)
                           .Add({}, kRequests);
  Histogram& batch_times = prometheus::BuildHistogram()
                               .Name("fastformer_batch_seconds")
                               .Help("Time to compute a batch")
                               .Register(registry)
                               .Add({}, kSeconds);
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::answered(const std::string& operation, unsigned status, Duration time) {
  impl_->answers.Add({{"operation", operation}, {"status", std::to_string(status)}}).Increment();
  impl_->times.Add({{"operation", operation}}, kSeconds).Observe(seconds(time));
}

void Metrics::queued(std::size_t requests) { impl_->queue.Set(static_cast<double>(requests)); }

void Metrics::waited(Duration time) { impl_->waits.Observe(seconds(time)); }

void Metrics::computed(std::size_t requests, Duration time) {
  impl_->batches.Observe(static_cast<double>(requests));
  impl_->batch_times.Observe(seconds(time));
}

void Metrics::read(const std::string& model, const std::string& operation, std::int64_t inputs,
                   std::int64_t tokens) {
  const prometheus::Labels labels = {{"model", model}, {"operation", operation}};
  impl_->inputs.Add(labels).Increment(static_cast<double>(inputs));
  impl_->tokens.Add(labels).Increment(static_cast<double>(tokens));
}

void Metrics::connected(std::int64_t change) {
  impl_->connections.Increment(static_cast<double>(change));
}

void Metrics::reloaded(const std::string& model, bool succeeded) {
  impl_->reloads.Add({{"model", model}, {"result", succeeded ? "loaded" : "refused"}}).Increment();
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace fastformer::serve

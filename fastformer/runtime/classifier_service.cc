#include "fastformer/runtime/classifier_service.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "fastformer/base/request_body.h"
#include "fastformer/runtime/explanation_json.h"

namespace fastformer::runtime {
namespace {

using base::Exchange;
using base::RequestBody;
using Json = nlohmann::ordered_json;

struct TextRequest {
  std::vector<std::string> texts;
  std::optional<std::int64_t> top;  // nullopt: all labels
  bool explain = false;
};
using Requests = std::vector<std::pair<Exchange*, TextRequest>>;

// The texts of all requests, one after another.
std::vector<std::string_view> joined(const Requests& requests) {
  std::vector<std::string_view> texts;
  for (const auto& [exchange, request] : requests) {
    if (!request.explain) texts.insert(texts.end(), request.texts.begin(), request.texts.end());
  }
  return texts;
}

std::string answer_of(const std::string& results) { return "{\"results\":[" + results + "]}"; }

void append(std::string& results, std::string_view result) {
  if (!results.empty()) results += ',';
  results += result;
}

std::string prediction_json(const Classifier& classifier, const Prediction& prediction,
                            std::size_t top) {
  Json json;
  if (classifier.frame().several_labels()) {
    json["labels"] = prediction.labels;
  } else {
    json["label"] = prediction.label;
  }
  // An ordered object looks through all its names to find one; labels are distinct.
  Json probabilities = Json::object();
  auto& members = probabilities.get_ref<Json::object_t&>();
  for (auto& [label, probability] : classifier.top(prediction, top)) {
    members.emplace_back(std::move(label), probability);
  }
  json["probabilities"] = std::move(probabilities);
  return base::json_text(json);
}

void classify(const Classifier& classifier, const Requests& requests) {
  std::int64_t tokens = 0;
  const auto texts = joined(requests);
  const auto predictions = classifier.classify(texts, &tokens);
  auto prediction = predictions.begin();
  for (const auto& [exchange, request] : requests) {
    std::string results;
    if (request.explain) {
      for (const auto& text : request.texts) append(results, explanation_json(classifier, text));
    } else {
      const auto all = std::ssize(classifier.frame().labels);
      const auto top = static_cast<std::size_t>(std::min(request.top.value_or(all), all));
      for (std::size_t i = 0; i < request.texts.size(); ++i) {
        append(results, prediction_json(classifier, *prediction++, top));
      }
    }
    exchange->answer = answer_of(results);
    exchange->tokens = std::exchange(tokens, 0);
  }
}

void embed(const Classifier& classifier, const Requests& requests) {
  std::int64_t tokens = 0;
  const auto texts = joined(requests);
  const auto vectors = classifier.embed(texts, &tokens);
  std::size_t row = 0;
  for (const auto& [exchange, request] : requests) {
    std::string results;
    for (std::size_t i = 0; i < request.texts.size(); ++i) {
      append(results, base::json_list(vectors.row(row++)));
    }
    exchange->answer = answer_of(results);
    exchange->tokens = std::exchange(tokens, 0);
  }
}

}  // namespace

std::string ClassifierService::description() const {
  const auto& frame = classifier_->frame();
  return base::json_text({{"labels", frame.labels},
                          {"several_labels", frame.several_labels()},
                          {"width", classifier_->network().width()},
                          {"max_tokens", frame.max_tokens}});
}

void ClassifierService::answer(std::string_view operation, std::span<Exchange* const> exchanges,
                               const base::RequestLimits& limits) const {
  const bool classifies = operation == "classify";
  const auto requests = base::read_requests<TextRequest>(exchanges, limits, [&](RequestBody& body) {
    TextRequest request{.texts = body.texts("texts")};
    if (classifies) {
      request.top = body.integer("top_k", 1, static_cast<std::int64_t>(limits.top));
      request.explain = body.flag("explain").value_or(false);
    }
    return request;
  });
  for (const auto& [exchange, request] : requests) exchange->inputs = std::ssize(request.texts);
  (classifies ? classify : embed)(*classifier_, requests);
}

}  // namespace fastformer::runtime

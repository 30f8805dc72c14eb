#include "fastformer/runtime/classifier_service.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "fastformer/base/json_text.h"
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

std::string prediction_json(const Classifier& classifier, const Prediction& prediction,
                            std::size_t top, const std::string& more = "") {
  Json json;
  if (classifier.frame().several_labels()) {
    json["labels"] = prediction.labels;
  } else {
    json["label"] = prediction.label;
  }
  auto& probabilities = json["probabilities"] = Json::array();
  for (auto& [label, probability] : classifier.top(prediction, top)) {
    probabilities.push_back({{"label", std::move(label)}, {"probability", probability}});
  }
  auto text = base::json_text(json);
  text.insert(text.size() - 1, more);
  return text;
}

std::string explained_json(const Classifier& classifier, std::string_view text, std::size_t top) {
  const auto explanation = classifier.explain(text);
  return prediction_json(classifier, explanation.prediction, top,
                         ",\"tokens\":" + token_weights_json(explanation) +
                             ",\"ngrams\":" + ngrams_json(classifier, text, explanation));
}

void classify(const Classifier& classifier, const Requests& requests) {
  std::int64_t tokens = 0;
  const auto texts = joined(requests);
  const auto predictions = classifier.classify(texts, &tokens);
  const auto all = std::ssize(classifier.frame().labels);
  auto prediction = predictions.begin();
  for (const auto& [exchange, request] : requests) {
    const auto top = static_cast<std::size_t>(std::min(request.top.value_or(all), all));
    std::vector<std::string> results;
    for (const auto& text : request.texts) {
      results.push_back(request.explain ? explained_json(classifier, text, top)
                                        : prediction_json(classifier, *prediction++, top));
    }
    exchange->answer = base::json_results(results);
    exchange->tokens = std::exchange(tokens, 0);
  }
}

void embed(const Classifier& classifier, const Requests& requests) {
  std::int64_t tokens = 0;
  const auto texts = joined(requests);
  const auto vectors = classifier.embed(texts, &tokens);
  std::size_t row = 0;
  for (const auto& [exchange, request] : requests) {
    std::vector<std::string> results;
    for (std::size_t i = 0; i < request.texts.size(); ++i) {
      results.push_back(base::json_list(vectors.row(row++)));
    }
    exchange->answer = base::json_results(results);
    exchange->tokens = std::exchange(tokens, 0);
  }
}

// The explanation of a text is some hundred times as long as the text.
void check_size(const TextRequest& request, const base::RequestLimits& limits) {
  std::size_t bytes = 0;
  for (const auto& text : request.texts) bytes += text.size();
  if (request.explain && bytes > limits.text_bytes) {
    throw base::TooLarge("texts to be explained have " + std::to_string(bytes) +
                         " bytes; the limit for a request is " + std::to_string(limits.text_bytes));
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
      check_size(request, limits);
    }
    return request;
  });
  for (const auto& [exchange, request] : requests) exchange->inputs = std::ssize(request.texts);
  (classifies ? classify : embed)(*classifier_, requests);
}

}  // namespace fastformer::runtime

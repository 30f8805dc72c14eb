#include "fastformer/summarization/extractive/extractive_service.h"

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "fastformer/base/config_tree.h"
#include "fastformer/base/json_text.h"
#include "fastformer/base/request_body.h"

namespace fastformer::summarization {
namespace {

struct ExtractRequest {
  std::vector<std::string> documents;
  SelectionConfig selection;
  bool explain = false;
};

ExtractRequest read_extract_request(base::RequestBody& body, const SelectionConfig& selection,
                                    const base::RequestLimits& limits) {
  ExtractRequest request{.documents = body.texts("texts"), .selection = selection};
  if (const auto object = body.object("selection")) {
    request.selection.override_by(
        base::ConfigTree::from_json("{\"selection\":" + *object + "}", "the body"));
  }
  request.explain = body.flag("explain").value_or(false);
  std::size_t bytes = 0;
  for (const auto& document : request.documents) bytes += document.size();
  if (request.explain && bytes > limits.text_bytes) {
    throw base::TooLarge("texts to be explained have " + std::to_string(bytes) +
                         " bytes; the limit for a request is " + std::to_string(limits.text_bytes));
  }
  return request;
}

}  // namespace

nlohmann::ordered_json sentences_json(const RankedDocument& document,
                                      std::span<const std::size_t> sentences) {
  auto list = nlohmann::ordered_json::array();
  std::size_t byte = 0;
  std::int64_t characters = 0;
  // The number of characters in front of a byte; asked for in ascending order.
  const auto characters_before = [&](std::size_t end) {
    for (; byte < end; ++byte) {
      if ((static_cast<unsigned char>(document.text[byte]) & 0xC0) != 0x80) ++characters;
    }
    return characters;
  };
  for (const auto index : sentences) {
    const auto& sentence = document.sentences[index];
    const auto begin = characters_before(sentence.begin);
    const auto end = characters_before(sentence.end);
    list.push_back({{"index", index},
                    {"begin", begin},
                    {"end", end},
                    {"score", sentence.score},
                    {"kind", base::word_of(sentence.kind)},
                    {"text", document.sentence(index)}});
  }
  return list;
}

nlohmann::ordered_json sentences_json(const RankedDocument& document) {
  std::vector<std::size_t> all(document.sentences.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return sentences_json(document, all);
}

std::string ExtractiveService::description() const {
  const auto& selection = summarizer_.selection();
  return base::json_text({{"max_tokens", summarizer_.token_limit()},
                          {"sentences", selection.sentences},
                          {"words", selection.words},
                          {"ratio", selection.ratio},
                          {"redundancy", base::word_of(selection.redundancy)}});
}

void ExtractiveService::answer(std::string_view, std::span<base::Exchange* const> exchanges,
                               const base::RequestLimits& limits) const {
  for (auto* exchange : exchanges) {
    const std::array one = {exchange};
    const auto requests =
        base::read_requests<ExtractRequest>(one, limits, [&](base::RequestBody& body) {
          return read_extract_request(body, summarizer_.selection(), limits);
        });
    for (const auto& [_, request] : requests) {
      exchange->inputs = std::ssize(request.documents);
      nlohmann::ordered_json answer = {{"results", nlohmann::ordered_json::array()}};
      for (const auto& document : summarizer_.rank(request.documents)) {
        const auto summary = document.summarize(request.selection);
        nlohmann::ordered_json result = {{"summary", summary.text},
                                         {"sentences", sentences_json(document, summary.chosen)},
                                         {"truncated", document.truncated}};
        if (request.explain) result["document"] = sentences_json(document);
        answer["results"].push_back(std::move(result));
      }
      exchange->answer = base::json_text(answer);
    }
  }
}

}  // namespace fastformer::summarization

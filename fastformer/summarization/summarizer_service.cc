#include "fastformer/summarization/summarizer_service.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/config_tree.h"
#include "fastformer/base/json_text.h"
#include "fastformer/base/request_body.h"

namespace fastformer::summarization {
namespace {

using base::Exchange;
using base::RequestBody;
using nlohmann::ordered_json;

struct DocumentRequest {
  std::vector<std::string> documents;
  SummarizeOptions options;
};

// Bounds the time and memory of a request.
void check_cost(const DocumentRequest& request, const base::RequestLimits& limits) {
  const auto& search = request.options.search;
  const auto beams = search.method == SearchMethod::kBeam ? search.beams : 1;
  const auto steps = std::ssize(request.documents) * beams * search.max_tokens;
  if (steps > static_cast<std::int64_t>(limits.work)) {
    throw base::TooLarge("texts, search.beams and search.max_tokens ask for " +
                         std::to_string(steps) + " steps; the limit for a request is " +
                         std::to_string(limits.work));
  }
}

SearchConfig read_search(RequestBody& body, SearchConfig search, bool streamed) {
  const auto object = body.object("search");
  if (streamed) search.method = SearchMethod::kGreedy;
  if (object) {
    base::ConfigTree::from_json("{\"search\":" + *object + "}", "the body")
        .read_section("search", search);
  }
  if (streamed && search.method == SearchMethod::kBeam) {
    throw std::invalid_argument(
        "search.method is beam, which has no summary until its end; expected greedy or sample for "
        "a streamed answer");
  }
  return search;
}

}  // namespace

nlohmann::ordered_json explanation_json(const std::vector<WrittenToken>& tokens) {
  auto list = ordered_json::array();
  for (const auto& token : tokens) {
    ordered_json json = {{"token", token.token}};
    if (token.copied) json["copied"] = *token.copied;
    json["sources"] = ordered_json::array();
    for (const auto& source : token.sources) {
      json["sources"].push_back(
          {{"token", source.token}, {"position", source.position}, {"weight", source.weight}});
    }
    list.push_back(std::move(json));
  }
  return list;
}

std::string SummarizerService::description() const {
  return base::json_text({{"max_tokens", summarizer_.token_limit()},
                          {"search", base::word_of(summarizer_.search().method)}});
}

void SummarizerService::answer(std::string_view, std::span<Exchange* const> exchanges,
                               const base::RequestLimits& limits) const {
  for (auto* exchange : exchanges) {
    const bool streamed = static_cast<bool>(exchange->stream);
    const std::array one = {exchange};
    const auto requests = base::read_requests<DocumentRequest>(one, limits, [&](RequestBody& body) {
      DocumentRequest request{.documents = body.texts("texts")};
      if (streamed && request.documents.size() != 1) {
        throw std::invalid_argument("texts has " + std::to_string(request.documents.size()) +
                                    " texts; expected one for a streamed answer");
      }
      request.options.search = read_search(body, summarizer_.search(), streamed);
      request.options.explain = body.flag("explain").value_or(false);
      check_cost(request, limits);
      return request;
    });
    for (auto [_, request] : requests) {
      exchange->inputs = std::ssize(request.documents);
      struct Left {};  // the client has
      if (streamed) {
        request.options.stream = [&](std::string_view piece) {
          if (!exchange->stream(piece)) throw Left();
        };
      }
      ordered_json answer = {{"results", ordered_json::array()}};
      try {
        for (const auto& summary : summarizer_.summarize(request.documents, request.options)) {
          ordered_json result = {{"summary", summary.text},
                                 {"log_probability", summary.log_probability},
                                 {"truncated", summary.truncated}};
          if (request.options.explain) result["explanation"] = explanation_json(summary.tokens);
          answer["results"].push_back(std::move(result));
        }
      } catch (const Left&) {
        exchange->refusal = "the client closed the connection";
        continue;
      }
      exchange->answer = base::json_text(answer);
    }
  }
}

}  // namespace fastformer::summarization

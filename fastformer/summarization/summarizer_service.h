#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fastformer/base/model_service.h"
#include "fastformer/summarization/summarizer.h"

namespace fastformer::summarization {

/// An array: {"token", "copied", "sources": [{"token", "position", "weight"}]} for each token of a
/// summary.
nlohmann::ordered_json explanation_json(const std::vector<WrittenToken>& tokens);

/// A summarizer for a server. Operation:
///
///   summarize  {"texts": [...], "explain", "search": {fields of the recipe's section [search]}};
///              each result is {"summary", "log_probability", "truncated", "explanation"}. A
///              streamed request has one text, and no beam search: without "search.method" it
///              searches greedily.
class SummarizerService final : public base::ModelService {
 public:
  explicit SummarizerService(Summarizer summarizer) : summarizer_(std::move(summarizer)) {}

  std::string kind() const override { return "summarizer"; }
  std::vector<std::string> operations() const override { return {"summarize"}; }
  std::string description() const override;
  bool streams(std::string_view) const override { return true; }
  bool joins(std::string_view) const override { return false; }
  void answer(std::string_view operation, std::span<base::Exchange* const> exchanges,
              const base::RequestLimits& limits) const override;

 private:
  Summarizer summarizer_;
};

}  // namespace fastformer::summarization

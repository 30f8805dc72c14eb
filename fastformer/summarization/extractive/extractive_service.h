#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fastformer/base/model_service.h"
#include "fastformer/summarization/extractive/extractive_model.h"
#include "fastformer/summarization/extractive/extractive_summarizer.h"

namespace fastformer::summarization {

/// The sentences of a summary as an array, or all sentences of the document: {"index", "begin",
/// "end", "score", "kind", "text"}. `begin` and `end` count Unicode characters of the document;
/// `kind` is one of the words of text::SentenceKind.
nlohmann::ordered_json sentences_json(const RankedDocument& document,
                                      std::span<const std::size_t> sentences);
nlohmann::ordered_json sentences_json(const RankedDocument& document);

/// An extractive summarizer for a server. Operation:
///
///   summarize  {"texts": [...], "explain", "selection": {fields of the recipe's section
///              [selection]}}; each result is {"summary", "sentences": see sentences_json(),
///              "truncated"}, and with "explain" also "document", all its sentences.
class ExtractiveService final : public base::ModelService {
 public:
  explicit ExtractiveService(ExtractiveSummarizer summarizer)
      : summarizer_(std::move(summarizer)) {}

  std::string kind() const override { return kExtractiveKind; }
  std::vector<std::string> operations() const override { return {"summarize"}; }
  std::string description() const override;
  bool streams(std::string_view) const override { return false; }
  bool joins(std::string_view) const override { return false; }
  void answer(std::string_view operation, std::span<base::Exchange* const> exchanges,
              const base::RequestLimits& limits) const override;

 private:
  ExtractiveSummarizer summarizer_;
};

}  // namespace fastformer::summarization
